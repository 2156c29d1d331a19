/*
 * osslive: the results of osslive.hpp as C++ types, for programs that have
 * nlohmann/json (3.9 or later).
 *
 *     #include <osslive.hpp>
 *     #include <osslive_json.hpp>
 *
 *     namespace typed = osslive::typed;
 *
 *     typed::ChannelStatus status = typed::channel_status(client.get_channel_status("main-stage"));
 *     if (status.status == typed::StreamState::live && status.video)
 *       std::cout << status.video->width << 'x' << status.video->height << '\n';
 *
 *     for (const auto &record : typed::channel_history(client.get_channel_history("main-stage")).records)
 *       client.create_vod("main-stage", "session.m3u8", record.start_time, record.end_time);
 *
 * A function for each kind of result takes the text that a call returned, and
 * throws osslive::Error with Status::bad_reply for any other text. What may be
 * absent is a std::optional. An enumeration has the value unknown for what a
 * newer library may say; members that a newer library may add are ignored.
 *
 * This header is generated from the JSON Schemas that are installed beside it,
 * in share/osslive/schema.
 */

#ifndef OSSLIVE_JSON_HPP
#define OSSLIVE_JSON_HPP

#include "osslive.hpp"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

namespace osslive {
namespace typed {

namespace detail {

/* A time as the library writes it: RFC 3339, in UTC. */
inline Time time_of(const std::string &text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, used = 0;
  const int found = std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &year, &month, &day,
                                &hour, &minute, &second, &used);
  /* The years that a clock in nanoseconds can hold. */
  if (found != 6 || year < 1678 || year > 2261 || text.back() != 'Z')
    throw ::osslive::Error(Status::bad_reply, "not a time in UTC: " + text);
  std::int64_t nanoseconds = 0, unit = 100000000;
  for (auto at = static_cast<std::size_t>(used) + 1; at + 1 < text.size(); at++, unit /= 10)
    nanoseconds += (text[at] - '0') * unit;
  /* The days since 1970-01-01, in years that begin in March. */
  const int shifted = month > 2 ? year : year - 1;
  const int of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const int days = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + of_year - 719468;
  const auto since = std::chrono::hours(24) * days + std::chrono::hours(hour) +
                     std::chrono::minutes(minute) + std::chrono::seconds(second) +
                     std::chrono::nanoseconds(nanoseconds);
  return Time(std::chrono::duration_cast<Time::duration>(since));
}

template <typename T>
void read(const nlohmann::json &json, T &value) {
  json.get_to(value);
}

inline void read(const nlohmann::json &json, Time &value) {
  value = time_of(json.get<std::string>());
}

template <typename Number>
void read(const nlohmann::json &json, std::variant<std::string, Number> &value) {
  if (json.is_string())
    value = json.get<std::string>();
  else
    value = json.get<Number>();
}

template <typename T>
void required(const nlohmann::json &json, const char *key, T &value) {
  read(json.at(key), value);
}

template <typename T>
void optional(const nlohmann::json &json, const char *key, std::optional<T> &value) {
  const auto found = json.find(key);
  if (found == json.end())
    value.reset();
  else
    read(*found, value.emplace());
}

template <typename T>
T parse(const std::string &text) {
  try {
    return nlohmann::json::parse(text).get<T>();
  } catch (const nlohmann::json::exception &error) {
    throw ::osslive::Error(Status::bad_reply, std::string("not the result: ") + error.what());
  }
}

}  // namespace detail

/* How the call behind a result went. */
struct ResponseInfo {
  /* The HTTP status. */
  std::uint16_t status{};
  /* The time the whole call took, repeats and waiting included; in JSON milliseconds, with their
   * fraction. */
  double elapsed_ms{};
  /* How many requests were sent: 1 unless some were repeated. */
  std::uint32_t attempts{};
  /* The identifier by which the service's support finds the request. */
  std::optional<std::string> request_id;
};

inline void from_json(const nlohmann::json &json, ResponseInfo &value) {
  detail::required(json, "status", value.status);
  detail::required(json, "elapsedMs", value.elapsed_ms);
  detail::required(json, "attempts", value.attempts);
  detail::optional(json, "requestId", value.request_id);
}

/* The result of a call that returns nothing but its success. */
struct Done {
  /* How the call went. */
  ResponseInfo res{};
};

inline void from_json(const nlohmann::json &json, Done &value) {
  detail::required(json, "res", value.res);
}

/* The result of put_channel and create_channel. */
struct ChannelUrls {
  /* Where to publish; unsigned. */
  std::vector<std::string> publish_urls{};
  /* Where to play; unsigned. */
  std::vector<std::string> play_urls{};
  /* How the call went. */
  ResponseInfo res{};
};

inline void from_json(const nlohmann::json &json, ChannelUrls &value) {
  detail::required(json, "publishUrls", value.publish_urls);
  detail::required(json, "playUrls", value.play_urls);
  detail::required(json, "res", value.res);
}

/* Whether a channel takes publishers: its configured status. */
enum class ChannelState {
  /* A value newer than this header. */
  unknown,
  /* Publishers are let in. The default. */
  enabled,
  /* Publishers are refused, and one that is live is cut. */
  disabled,
};

NLOHMANN_JSON_SERIALIZE_ENUM(ChannelState, {
    {ChannelState::unknown, nullptr},
    {ChannelState::enabled, "enabled"},
    {ChannelState::disabled, "disabled"},
})

/* The result of get_channel. */
struct Channel {
  /* The channel's id. */
  std::string name{};
  /* The description. */
  std::string description{};
  /* Whether publishers are let in. */
  ChannelState status{};
  /* The type of its output: HLS. */
  std::string type{};
  /* The length of a fragment in seconds, or 0 if not reported. */
  std::uint32_t frag_duration{};
  /* How many fragments the live playlist lists, or 0 if not reported. */
  std::uint32_t frag_count{};
  /* The name of the live playlist. */
  std::string playlist_name{};
  /* Where to publish; unsigned. Empty when listing channels is not permitted. */
  std::vector<std::string> publish_urls{};
  /* Where to play; unsigned. Empty when listing channels is not permitted. */
  std::vector<std::string> play_urls{};
  /* How the call went. */
  ResponseInfo res{};
  /* When the channel was created. The service does not say so today. */
  std::optional<Time> create_time;
  /* When the configuration was last changed; absent when listing channels is not permitted. */
  std::optional<Time> last_modified;
};

inline void from_json(const nlohmann::json &json, Channel &value) {
  detail::required(json, "name", value.name);
  detail::required(json, "description", value.description);
  detail::required(json, "status", value.status);
  detail::required(json, "type", value.type);
  detail::required(json, "fragDuration", value.frag_duration);
  detail::required(json, "fragCount", value.frag_count);
  detail::required(json, "playlistName", value.playlist_name);
  detail::required(json, "publishUrls", value.publish_urls);
  detail::required(json, "playUrls", value.play_urls);
  detail::required(json, "res", value.res);
  detail::optional(json, "createTime", value.create_time);
  detail::optional(json, "lastModified", value.last_modified);
}

/* A channel as a list shows it. */
struct ChannelSummary {
  /* The channel's id. */
  std::string name{};
  /* The description. */
  std::string description{};
  /* Whether publishers are let in. */
  ChannelState status{};
  /* Where to publish; unsigned. */
  std::vector<std::string> publish_urls{};
  /* Where to play; unsigned. */
  std::vector<std::string> play_urls{};
  /* When the configuration was last changed, if reported. */
  std::optional<Time> last_modified;
};

inline void from_json(const nlohmann::json &json, ChannelSummary &value) {
  detail::required(json, "name", value.name);
  detail::required(json, "description", value.description);
  detail::required(json, "status", value.status);
  detail::required(json, "publishUrls", value.publish_urls);
  detail::required(json, "playUrls", value.play_urls);
  detail::optional(json, "lastModified", value.last_modified);
}

/* A page of channels, the result of list_channels. */
struct ChannelList {
  /* The channels, in byte order of their names. */
  std::vector<ChannelSummary> channels{};
  /* Whether there are more. */
  bool is_truncated{};
  /* How the call went. */
  ResponseInfo res{};
  /* The marker of the next page, when there are more. */
  std::optional<std::string> next_marker;
};

inline void from_json(const nlohmann::json &json, ChannelList &value) {
  detail::required(json, "channels", value.channels);
  detail::required(json, "isTruncated", value.is_truncated);
  detail::required(json, "res", value.res);
  detail::optional(json, "nextMarker", value.next_marker);
}

/* The audio of a live stream. A number that the service does not report, or not as a number, is
 * 0. */
struct Audio {
  /* Bytes per second over the last moments. */
  std::uint64_t bandwidth{};
  /* Samples per second. */
  std::uint32_t sample_rate{};
  /* The codec: AAC. */
  std::string codec{};
};

inline void from_json(const nlohmann::json &json, Audio &value) {
  detail::required(json, "bandwidth", value.bandwidth);
  detail::required(json, "sampleRate", value.sample_rate);
  detail::required(json, "codec", value.codec);
}

/* What a channel is doing: its status at run time. */
enum class StreamState {
  /* A value newer than this header. */
  unknown,
  /* A publisher is connected. */
  live,
  /* No publisher is connected. */
  idle,
  /* The channel is disabled. */
  disabled,
};

NLOHMANN_JSON_SERIALIZE_ENUM(StreamState, {
    {StreamState::unknown, nullptr},
    {StreamState::live, "Live"},
    {StreamState::idle, "Idle"},
    {StreamState::disabled, "Disabled"},
})

/* The video of a live stream. A number that the service does not report, or not as a number, is
 * 0. */
struct Video {
  /* Pixels. */
  std::uint32_t width{};
  /* Pixels. */
  std::uint32_t height{};
  /* Frames per second, as the service rounds it. */
  std::uint32_t frame_rate{};
  /* Bytes per second over the last moments. */
  std::uint64_t bandwidth{};
  /* The codec: H264. */
  std::string codec{};
};

inline void from_json(const nlohmann::json &json, Video &value) {
  detail::required(json, "width", value.width);
  detail::required(json, "height", value.height);
  detail::required(json, "frameRate", value.frame_rate);
  detail::required(json, "bandwidth", value.bandwidth);
  detail::required(json, "codec", value.codec);
}

/* What a channel is doing, the result of get_channel_status. */
struct ChannelStatus {
  /* Live, idle or disabled. */
  StreamState status{};
  /* How the call went. */
  ResponseInfo res{};
  /* The audio, once some of it has arrived. */
  std::optional<Audio> audio;
  /* Since when the publisher has been connected, when live and reported. */
  std::optional<Time> connected_time;
  /* The publisher's IP:PORT, when live. */
  std::optional<std::string> remote_addr;
  /* The video, once some of it has arrived. */
  std::optional<Video> video;
};

inline void from_json(const nlohmann::json &json, ChannelStatus &value) {
  detail::required(json, "status", value.status);
  detail::required(json, "res", value.res);
  detail::optional(json, "audio", value.audio);
  detail::optional(json, "connectedTime", value.connected_time);
  detail::optional(json, "remoteAddr", value.remote_addr);
  detail::optional(json, "video", value.video);
}

/* A session: from a publisher's coming to its going. */
struct SessionRecord {
  /* When it began. */
  Time start_time{};
  /* When it ended. */
  Time end_time{};
  /* The publisher's IP:PORT. */
  std::string remote_addr{};
};

inline void from_json(const nlohmann::json &json, SessionRecord &value) {
  detail::required(json, "startTime", value.start_time);
  detail::required(json, "endTime", value.end_time);
  detail::required(json, "remoteAddr", value.remote_addr);
}

/* The last sessions of a channel, the result of get_channel_history. */
struct ChannelHistory {
  /* At most ten finished sessions, the oldest first. */
  std::vector<SessionRecord> records{};
  /* How the call went. */
  ResponseInfo res{};
};

inline void from_json(const nlohmann::json &json, ChannelHistory &value) {
  detail::required(json, "records", value.records);
  detail::required(json, "res", value.res);
}

/* A time without a publisher, between two sessions. */
struct Gap {
  /* When the session before it ended. */
  Time start_time{};
  /* When the session after it began. */
  Time end_time{};
  /* How long it was, in minutes. */
  double duration_minutes{};
};

inline void from_json(const nlohmann::json &json, Gap &value) {
  detail::required(json, "startTime", value.start_time);
  detail::required(json, "endTime", value.end_time);
  detail::required(json, "durationMinutes", value.duration_minutes);
}

/* A session, cut to the window of a HistoryAnalysis. */
struct SessionSpan {
  /* When it began. */
  Time start_time{};
  /* When it ended. */
  Time end_time{};
  /* How long it was, in minutes. */
  double duration_minutes{};
  /* The publisher's IP:PORT. */
  std::string remote_addr{};
};

inline void from_json(const nlohmann::json &json, SessionSpan &value) {
  detail::required(json, "startTime", value.start_time);
  detail::required(json, "endTime", value.end_time);
  detail::required(json, "durationMinutes", value.duration_minutes);
  detail::required(json, "remoteAddr", value.remote_addr);
}

/* What a history tells about a window of time, the result of analyze_history. The service keeps
 * only the last ten finished sessions of a channel. On a busy channel they do not reach back to
 * the beginning of the window; is_truncated tells, and all numbers are then of the sessions that
 * are left. A session that is still going on is in no history. */
struct HistoryAnalysis {
  /* The beginning of the window. */
  Time start_time{};
  /* The end of the window. */
  Time end_time{};
  /* How many sessions were in the window, in whole or in part. */
  std::uint64_t session_count{};
  /* How long they were together, in hours. What lies outside the window is not counted. */
  double total_duration_hours{};
  /* How long they were on average, in minutes; 0 without a session. */
  double average_duration_minutes{};
  /* The addresses of the publishers, without ports, each once and sorted. */
  std::vector<std::string> unique_ips{};
  /* The times between sessions, in their order. What was before the first and after the last is
   * no gap. */
  std::vector<Gap> gaps{};
  /* The sessions, cut to the window, in order. */
  std::vector<SessionSpan> sessions{};
  /* Whether the service may have forgotten sessions of this window: it gave as many as it
   * remembers, and the first began inside the window. */
  bool is_truncated{};
  /* The longest session, the first of several. */
  std::optional<SessionSpan> longest_session;
};

inline void from_json(const nlohmann::json &json, HistoryAnalysis &value) {
  detail::required(json, "startTime", value.start_time);
  detail::required(json, "endTime", value.end_time);
  detail::required(json, "sessionCount", value.session_count);
  detail::required(json, "totalDurationHours", value.total_duration_hours);
  detail::required(json, "averageDurationMinutes", value.average_duration_minutes);
  detail::required(json, "uniqueIps", value.unique_ips);
  detail::required(json, "gaps", value.gaps);
  detail::required(json, "sessions", value.sessions);
  detail::required(json, "isTruncated", value.is_truncated);
  detail::optional(json, "longestSession", value.longest_session);
}

/* A signed URL to publish to, whole and in the parts that encoders ask for. It lets anyone who
 * has it publish until it expires: Display and JSON show it, Debug does not. */
struct PublishUrl {
  /* The whole URL: the server, a slash and the stream key. */
  std::string url{};
  /* The server, which ends in /live. */
  std::string server{};
  /* The stream key: the channel's name with the signature. */
  std::string stream_key{};
  /* Until when a publisher may connect. One that is connected by then is not disconnected. */
  Time expires_at{};
};

inline void from_json(const nlohmann::json &json, PublishUrl &value) {
  detail::required(json, "url", value.url);
  detail::required(json, "server", value.server);
  detail::required(json, "streamKey", value.stream_key);
  detail::required(json, "expiresAt", value.expires_at);
}

/* What a channel is doing, in a Sweep. In JSON the fields of the status stand beside the id. */
struct ChannelReport {
  /* The channel's id. */
  std::string id{};
  /* Live, idle or disabled. */
  StreamState status{};
  /* How the call went. */
  ResponseInfo res{};
  /* The audio, once some of it has arrived. */
  std::optional<Audio> audio;
  /* Since when the publisher has been connected, when live and reported. */
  std::optional<Time> connected_time;
  /* The publisher's IP:PORT, when live. */
  std::optional<std::string> remote_addr;
  /* The video, once some of it has arrived. */
  std::optional<Video> video;
};

inline void from_json(const nlohmann::json &json, ChannelReport &value) {
  detail::required(json, "id", value.id);
  detail::required(json, "status", value.status);
  detail::required(json, "res", value.res);
  detail::optional(json, "audio", value.audio);
  detail::optional(json, "connectedTime", value.connected_time);
  detail::optional(json, "remoteAddr", value.remote_addr);
  detail::optional(json, "video", value.video);
}

/* The class of an Error: who has to do something about it. */
enum class ErrorKind {
  /* A value newer than this header. */
  unknown,
  /* An argument was refused before anything was sent. */
  invalid_argument,
  /* The client's configuration is incomplete or contradictory. */
  config,
  /* No usable credentials were found. */
  credentials,
  /* The service was not reached, or the connection broke: name look-up, TCP, TLS or proxy. */
  connection,
  /* The whole-call limit or the connect limit passed. */
  timeout,
  /* The service answered with an error; Error::code says which. */
  service,
  /* The service answered with something that is not understood, or that is larger than the size
   * limit. */
  bad_reply,
  /* The caller stopped the client, by Client::shutdown, or this piece of work, or its time was
   * up before it was done. */
  stopped,
};

NLOHMANN_JSON_SERIALIZE_ENUM(ErrorKind, {
    {ErrorKind::unknown, nullptr},
    {ErrorKind::invalid_argument, "invalidArgument"},
    {ErrorKind::config, "config"},
    {ErrorKind::credentials, "credentials"},
    {ErrorKind::connection, "connection"},
    {ErrorKind::timeout, "timeout"},
    {ErrorKind::service, "service"},
    {ErrorKind::bad_reply, "badReply"},
    {ErrorKind::stopped, "stopped"},
})

/* Why something failed. */
struct Error {
  /* The class of the error: who has to do something about it. */
  ErrorKind kind{};
  /* What was wrong, without the code and the identifiers. */
  std::string message{};
  /* How many requests were sent; 0 when the error came before the first. */
  std::uint32_t attempts{};
  /* All of it in one line, for people. */
  std::string text{};
  /* The reason by name, such as NoSuchLiveChannel: the service's code, or the library's own for
   * what it checks itself. */
  std::optional<std::string> code;
  /* The service's detailed error code, such as 0044-00000308. */
  std::optional<std::string> ec;
  /* The endpoint that the service names as the right one for the bucket. */
  std::optional<std::string> endpoint;
  /* The host that responded, as it names itself. */
  std::optional<std::string> host_id;
  /* The identifier by which the service's support finds the request. */
  std::optional<std::string> request_id;
  /* The HTTP status of the response, when there was one. */
  std::optional<std::uint16_t> status;
};

inline void from_json(const nlohmann::json &json, Error &value) {
  detail::required(json, "kind", value.kind);
  detail::required(json, "message", value.message);
  detail::required(json, "attempts", value.attempts);
  detail::required(json, "text", value.text);
  detail::optional(json, "code", value.code);
  detail::optional(json, "ec", value.ec);
  detail::optional(json, "endpoint", value.endpoint);
  detail::optional(json, "hostId", value.host_id);
  detail::optional(json, "requestId", value.request_id);
  detail::optional(json, "status", value.status);
}

/* A channel whose status could not be told, in a Sweep. */
struct FailedChannel {
  /* The channel's id. */
  std::string id{};
  /* Why its status could not be told. */
  Error error{};
};

inline void from_json(const nlohmann::json &json, FailedChannel &value) {
  detail::required(json, "id", value.id);
  detail::required(json, "error", value.error);
}

/* What one look at many channels found, the result of monitor_channels. Each list stands in the
 * order in which the channels were given. */
struct Sweep {
  /* The channels with a publisher. */
  std::vector<ChannelReport> live{};
  /* The channels without one. */
  std::vector<ChannelReport> idle{};
  /* The channels that are disabled. */
  std::vector<ChannelReport> disabled{};
  /* The channels whose status could not be told, and why. */
  std::vector<FailedChannel> failed{};
  /* The number of channels in all four lists. */
  std::uint64_t total{};
};

inline void from_json(const nlohmann::json &json, Sweep &value) {
  detail::required(json, "live", value.live);
  detail::required(json, "idle", value.idle);
  detail::required(json, "disabled", value.disabled);
  detail::required(json, "failed", value.failed);
  detail::required(json, "total", value.total);
}

/* What came of one channel of put_channels. In JSON, the fields of the URLs or an error stand
 * beside the id. */
struct PutResult {
  /* The channel's id. */
  std::string id{};
  /* Why the channel was not put. */
  std::optional<Error> error;
  /* Where to play; unsigned. */
  std::optional<std::vector<std::string>> play_urls;
  /* Where to publish; unsigned. */
  std::optional<std::vector<std::string>> publish_urls;
  /* How the call went. */
  std::optional<ResponseInfo> res;
};

inline void from_json(const nlohmann::json &json, PutResult &value) {
  detail::required(json, "id", value.id);
  detail::optional(json, "error", value.error);
  detail::optional(json, "playUrls", value.play_urls);
  detail::optional(json, "publishUrls", value.publish_urls);
  detail::optional(json, "res", value.res);
}

/* The results of work on many things. */
struct PutResults {
  /* One result for each, in the order in which they were given. */
  std::vector<PutResult> results{};
  /* How many of them failed. */
  std::uint64_t failed{};
  /* How many there are. */
  std::uint64_t total{};
};

inline void from_json(const nlohmann::json &json, PutResults &value) {
  detail::required(json, "results", value.results);
  detail::required(json, "failed", value.failed);
  detail::required(json, "total", value.total);
}

/* What came of a Highlight. */
struct HighlightResult {
  /* The highlight's name. */
  std::string name{};
  /* The name of its playlist, in the channel's folder: get_play_url takes it. */
  std::string playlist{};
  /* Until when it was cut. */
  std::optional<Time> end;
  /* Why there is no such playlist, when there is none. */
  std::optional<Error> error;
  /* From when it was cut, in whole seconds; absent when it was clear beforehand that there is
   * nothing to cut. */
  std::optional<Time> start;
};

inline void from_json(const nlohmann::json &json, HighlightResult &value) {
  detail::required(json, "name", value.name);
  detail::required(json, "playlist", value.playlist);
  detail::optional(json, "end", value.end);
  detail::optional(json, "error", value.error);
  detail::optional(json, "start", value.start);
}

/* The results of work on many things. */
struct HighlightResults {
  /* One result for each, in the order in which they were given. */
  std::vector<HighlightResult> results{};
  /* How many of them failed. */
  std::uint64_t failed{};
  /* How many there are. */
  std::uint64_t total{};
};

inline void from_json(const nlohmann::json &json, HighlightResults &value) {
  detail::required(json, "results", value.results);
  detail::required(json, "failed", value.failed);
  detail::required(json, "total", value.total);
}

/* The kinds of Change. */
enum class ChangeKind {
  /* A value newer than this header. */
  unknown,
  /* A publisher has come. */
  went_live,
  /* The publisher has gone. */
  went_idle,
  /* The channel was disabled. */
  disabled,
  /* The channel was enabled again. */
  enabled,
  /* Another publisher, or the same one from another port, has taken over without the channel
   * having been seen idle. */
  new_publisher,
  /* Picture and sound together have less than min_bandwidth. */
  bandwidth_low,
  /* Picture and sound together have enough again. */
  bandwidth_recovered,
  /* The frame rate fell by more than frame_rate_drop since the sweep before. */
  frame_rate_fell,
  /* The status of the channel can no longer be told. What it was before is remembered: once it
   * can be told again, changes are told against that. */
  failing,
  /* The status of the channel can be told again. */
  recovered,
};

NLOHMANN_JSON_SERIALIZE_ENUM(ChangeKind, {
    {ChangeKind::unknown, nullptr},
    {ChangeKind::went_live, "wentLive"},
    {ChangeKind::went_idle, "wentIdle"},
    {ChangeKind::disabled, "disabled"},
    {ChangeKind::enabled, "enabled"},
    {ChangeKind::new_publisher, "newPublisher"},
    {ChangeKind::bandwidth_low, "bandwidthLow"},
    {ChangeKind::bandwidth_recovered, "bandwidthRecovered"},
    {ChangeKind::frame_rate_fell, "frameRateFell"},
    {ChangeKind::failing, "failing"},
    {ChangeKind::recovered, "recovered"},
})

/* Something that changed about a channel, when, and what belongs to it. In JSON it is one
 * object, in which change names the kind. */
struct Change {
  /* The channel's id. */
  std::string id{};
  /* When the change was noticed. */
  Time time{};
  ChangeKind change{};
  /* The publisher's IP:PORT. */
  std::optional<std::string> remote_addr;
  /* The address before. */
  std::optional<std::variant<std::string, std::uint32_t>> from;
  /* The address now. */
  std::optional<std::variant<std::string, std::uint32_t>> to;
  /* Bytes per second. */
  std::optional<std::uint64_t> bandwidth;
  /* The limit, in bytes per second. */
  std::optional<std::uint64_t> limit;
  /* Why. */
  std::optional<Error> error;
};

inline void from_json(const nlohmann::json &json, Change &value) {
  detail::required(json, "id", value.id);
  detail::required(json, "time", value.time);
  detail::required(json, "change", value.change);
  detail::optional(json, "remoteAddr", value.remote_addr);
  detail::optional(json, "from", value.from);
  detail::optional(json, "to", value.to);
  detail::optional(json, "bandwidth", value.bandwidth);
  detail::optional(json, "limit", value.limit);
  detail::optional(json, "error", value.error);
}

/* What changed from one sweep to the next. */
struct Changes {
  /* The changes, in the order of the channels. */
  std::vector<Change> changes{};
};

inline void from_json(const nlohmann::json &json, Changes &value) {
  detail::required(json, "changes", value.changes);
}

/* Reads the result of delete_channel, put_channel_status, create_vod. */
inline Done done(const std::string &text) {
  return detail::parse<Done>(text);
}

/* Reads the result of put_channel, create_channel. */
inline ChannelUrls channel_urls(const std::string &text) {
  return detail::parse<ChannelUrls>(text);
}

/* Reads the result of get_channel. */
inline Channel channel(const std::string &text) {
  return detail::parse<Channel>(text);
}

/* Reads the result of list_channels. */
inline ChannelList channel_list(const std::string &text) {
  return detail::parse<ChannelList>(text);
}

/* Reads the result of get_channel_status. */
inline ChannelStatus channel_status(const std::string &text) {
  return detail::parse<ChannelStatus>(text);
}

/* Reads the result of get_channel_history. */
inline ChannelHistory channel_history(const std::string &text) {
  return detail::parse<ChannelHistory>(text);
}

/* Reads the result of analyze_history. */
inline HistoryAnalysis history_analysis(const std::string &text) {
  return detail::parse<HistoryAnalysis>(text);
}

/* Reads the result of get_publish_url. */
inline PublishUrl publish_url(const std::string &text) {
  return detail::parse<PublishUrl>(text);
}

/* Reads the result of monitor_channels, last_sweep. */
inline Sweep sweep(const std::string &text) {
  return detail::parse<Sweep>(text);
}

/* Reads the result of put_channels. */
inline PutResults put_results(const std::string &text) {
  return detail::parse<PutResults>(text);
}

/* Reads the result of create_highlights. */
inline HighlightResults highlight_results(const std::string &text) {
  return detail::parse<HighlightResults>(text);
}

/* Reads the result of next_changes. */
inline Changes changes(const std::string &text) {
  return detail::parse<Changes>(text);
}

}  // namespace typed
}  // namespace osslive

#endif  /* OSSLIVE_JSON_HPP */
