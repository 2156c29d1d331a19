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
 * Each kind of result has a function that parses the JSON returned by a call, and
 * throws osslive::Error with Status::bad_reply for anything else. Members that may
 * be absent are std::optional. Enumerations have the value unknown for values from a
 * newer library; members added by a newer library are ignored.
 *
 * This header is generated from the JSON Schemas that are installed with it, in
 * share/osslive/schema.
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

/* Parses a time in the library's format: RFC 3339, in UTC. */
inline Time time_of(const std::string &text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, used = 0;
  const int found = std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &year, &month, &day,
                                &hour, &minute, &second, &used);
  /* The years that a clock in nanoseconds can represent. */
  if (found != 6 || year < 1678 || year > 2261 || text.back() != 'Z')
    throw ::osslive::Error(Status::bad_reply, "not a time in UTC: " + text);
  std::int64_t nanoseconds = 0, unit = 100000000;
  for (auto at = static_cast<std::size_t>(used) + 1; at + 1 < text.size(); at++, unit /= 10)
    nanoseconds += (text[at] - '0') * unit;
  /* The days since 1970-01-01, in years that start in March. */
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
    throw ::osslive::Error(Status::bad_reply, std::string("unexpected result: ") + error.what());
  }
}

}  // namespace detail

/* Describes the call behind a result. */
struct ResponseInfo {
  /* The HTTP status. */
  std::uint16_t status{};
  /* The elapsed time of the call, including retries and back-off; in JSON fractional
   * milliseconds. */
  double elapsed_ms{};
  /* The number of requests sent: more than 1 after retries. */
  std::uint32_t attempts{};
  /* The request id, which identifies the request to the service's support. */
  std::optional<std::string> request_id;
};

inline void from_json(const nlohmann::json &json, ResponseInfo &value) {
  detail::required(json, "status", value.status);
  detail::required(json, "elapsedMs", value.elapsed_ms);
  detail::required(json, "attempts", value.attempts);
  detail::optional(json, "requestId", value.request_id);
}

/* The result of a call that returns nothing else. */
struct Done {
  /* Describes the call. */
  ResponseInfo res{};
};

inline void from_json(const nlohmann::json &json, Done &value) {
  detail::required(json, "res", value.res);
}

/* A channel's URLs, returned by put_channel and create_channel. */
struct ChannelUrls {
  /* Unsigned publish URLs. */
  std::vector<std::string> publish_urls{};
  /* Unsigned play URLs. */
  std::vector<std::string> play_urls{};
  /* Describes the call. */
  ResponseInfo res{};
};

inline void from_json(const nlohmann::json &json, ChannelUrls &value) {
  detail::required(json, "publishUrls", value.publish_urls);
  detail::required(json, "playUrls", value.play_urls);
  detail::required(json, "res", value.res);
}

/* Whether a channel is enabled: its configured status. */
enum class ChannelState {
  /* A value newer than this header. */
  unknown,
  /* Publishers can connect. The default. */
  enabled,
  /* Publishers are rejected; a live one is disconnected. */
  disabled,
};

NLOHMANN_JSON_SERIALIZE_ENUM(ChannelState, {
    {ChannelState::unknown, nullptr},
    {ChannelState::enabled, "enabled"},
    {ChannelState::disabled, "disabled"},
})

/* A channel's configuration, returned by get_channel. */
struct Channel {
  /* The channel's id. */
  std::string name{};
  /* The description. */
  std::string description{};
  /* Whether it is enabled. */
  ChannelState status{};
  /* The output type: HLS. */
  std::string type{};
  /* The fragment duration in seconds, or 0 if not reported. */
  std::uint32_t frag_duration{};
  /* The number of fragments in the live playlist, or 0 if not reported. */
  std::uint32_t frag_count{};
  /* The name of the live playlist. */
  std::string playlist_name{};
  /* Unsigned publish URLs. Empty without permission to list channels. */
  std::vector<std::string> publish_urls{};
  /* Unsigned play URLs. Empty without permission to list channels. */
  std::vector<std::string> play_urls{};
  /* Describes the call. */
  ResponseInfo res{};
  /* When the channel was created. Not reported by the service today. */
  std::optional<Time> create_time;
  /* When the configuration was last changed; absent without permission to list channels. */
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

/* A channel in a list. */
struct ChannelSummary {
  /* The channel's id. */
  std::string name{};
  /* The description. */
  std::string description{};
  /* Whether it is enabled. */
  ChannelState status{};
  /* Unsigned publish URLs. */
  std::vector<std::string> publish_urls{};
  /* Unsigned play URLs. */
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

/* One page of channels, returned by list_channels. */
struct ChannelList {
  /* The channels, in byte order of their names. */
  std::vector<ChannelSummary> channels{};
  /* Whether there are more. */
  bool is_truncated{};
  /* Describes the call. */
  ResponseInfo res{};
  /* The marker of the next page, if there are more. */
  std::optional<std::string> next_marker;
};

inline void from_json(const nlohmann::json &json, ChannelList &value) {
  detail::required(json, "channels", value.channels);
  detail::required(json, "isTruncated", value.is_truncated);
  detail::required(json, "res", value.res);
  detail::optional(json, "nextMarker", value.next_marker);
}

/* The audio of a live stream. Numbers that the service does not report are 0. */
struct Audio {
  /* Recent bandwidth, in bytes per second. */
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

/* Whether a channel is live: its status at run time. */
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

/* The video of a live stream. Numbers that the service does not report are 0. */
struct Video {
  /* Pixels. */
  std::uint32_t width{};
  /* Pixels. */
  std::uint32_t height{};
  /* Frames per second, rounded by the service. */
  std::uint32_t frame_rate{};
  /* Recent bandwidth, in bytes per second. */
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

/* A channel's status, returned by get_channel_status. */
struct ChannelStatus {
  /* Live, idle or disabled. */
  StreamState status{};
  /* Describes the call. */
  ResponseInfo res{};
  /* The audio, once some has arrived. */
  std::optional<Audio> audio;
  /* When the publisher connected, if live and reported. */
  std::optional<Time> connected_time;
  /* The publisher's IP:PORT, if live. */
  std::optional<std::string> remote_addr;
  /* The video, once some has arrived. */
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

/* A session of a publisher. */
struct SessionRecord {
  /* Start. */
  Time start_time{};
  /* End. */
  Time end_time{};
  /* The publisher's IP:PORT. */
  std::string remote_addr{};
};

inline void from_json(const nlohmann::json &json, SessionRecord &value) {
  detail::required(json, "startTime", value.start_time);
  detail::required(json, "endTime", value.end_time);
  detail::required(json, "remoteAddr", value.remote_addr);
}

/* The last sessions of a channel, returned by get_channel_history. */
struct ChannelHistory {
  /* At most ten finished sessions, oldest first. */
  std::vector<SessionRecord> records{};
  /* Describes the call. */
  ResponseInfo res{};
};

inline void from_json(const nlohmann::json &json, ChannelHistory &value) {
  detail::required(json, "records", value.records);
  detail::required(json, "res", value.res);
}

/* A gap between two sessions, or in a recording. */
struct Gap {
  /* Start: the end of what came before. */
  Time start_time{};
  /* End: the start of what came after. */
  Time end_time{};
  /* Duration, in minutes. */
  double duration_minutes{};
};

inline void from_json(const nlohmann::json &json, Gap &value) {
  detail::required(json, "startTime", value.start_time);
  detail::required(json, "endTime", value.end_time);
  detail::required(json, "durationMinutes", value.duration_minutes);
}

/* A session, clipped to the period of a HistoryAnalysis. */
struct SessionSpan {
  /* Start. */
  Time start_time{};
  /* End. */
  Time end_time{};
  /* Duration, in minutes. */
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

/* A summary of the sessions in a period, returned by analyze_history. The service keeps only the
 * last ten finished sessions of a channel. On a busy channel they may not cover the period:
 * is_truncated is then true, and the figures cover only the remaining sessions. The current
 * session is not included. */
struct HistoryAnalysis {
  /* The start of the period. */
  Time start_time{};
  /* The end of the period. */
  Time end_time{};
  /* The number of sessions in the period, in whole or in part. */
  std::uint64_t session_count{};
  /* Their total duration within the period, in hours. */
  double total_duration_hours{};
  /* Their average duration, in minutes; 0 without sessions. */
  double average_duration_minutes{};
  /* The IP addresses of the publishers, without ports, unique and sorted. */
  std::vector<std::string> unique_ips{};
  /* The gaps between sessions, in order; not before the first or after the last. */
  std::vector<Gap> gaps{};
  /* The sessions, clipped to the period, in order. */
  std::vector<SessionSpan> sessions{};
  /* Whether sessions of this period may be missing: the service returned as many as it keeps,
   * and the first started within the period. */
  bool is_truncated{};
  /* The longest session, the first if there are several. */
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

/* A signed publish URL, in full and split into the parts that encoders ask for. Anyone who has
 * it can publish until it expires: Display and JSON show it, Debug does not. */
struct PublishUrl {
  /* The whole URL: the server, a slash and the stream key. */
  std::string url{};
  /* The server, which ends in /live. */
  std::string server{};
  /* The stream key: the channel's name with the signature. */
  std::string stream_key{};
  /* When the URL expires. Publishers must connect before then; expiry does not disconnect them. */
  Time expires_at{};
};

inline void from_json(const nlohmann::json &json, PublishUrl &value) {
  detail::required(json, "url", value.url);
  detail::required(json, "server", value.server);
  detail::required(json, "streamKey", value.stream_key);
  detail::required(json, "expiresAt", value.expires_at);
}

/* A channel's status in a Sweep. In JSON, the fields of the status are next to the id. */
struct ChannelReport {
  /* The channel's id. */
  std::string id{};
  /* Live, idle or disabled. */
  StreamState status{};
  /* Describes the call. */
  ResponseInfo res{};
  /* The audio, once some has arrived. */
  std::optional<Audio> audio;
  /* When the publisher connected, if live and reported. */
  std::optional<Time> connected_time;
  /* The publisher's IP:PORT, if live. */
  std::optional<std::string> remote_addr;
  /* The video, once some has arrived. */
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

/* The category of an Error. */
enum class ErrorKind {
  /* A value newer than this header. */
  unknown,
  /* An argument is invalid. Nothing was sent. */
  invalid_argument,
  /* The client's configuration is incomplete or contradictory. */
  config,
  /* No usable credentials were found. */
  credentials,
  /* The service is unreachable, or the connection was lost: name resolution, TCP, TLS or proxy. */
  connection,
  /* The call or the connection timed out. */
  timeout,
  /* The service returned an error; see Error::code. */
  service,
  /* The response is invalid, or larger than the size limit. */
  bad_reply,
  /* A local file could not be read or written. */
  file,
  /* The caller stopped the client with Client::shutdown, or stopped the work, or the work
   * reached its time limit. */
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
    {ErrorKind::file, "file"},
    {ErrorKind::stopped, "stopped"},
})

/* An error as JSON. */
struct Error {
  /* The category of the error. */
  ErrorKind kind{};
  /* What is wrong, without the code and the identifiers. */
  std::string message{};
  /* The number of requests sent; 0 if the error occurred before the first. */
  std::uint32_t attempts{};
  /* The message with all details in one line. */
  std::string text{};
  /* The name of the reason, such as NoSuchLiveChannel: the service's code, or the library's own
   * for its own checks. */
  std::optional<std::string> code;
  /* The service's detailed error code, such as 0044-00000308. */
  std::optional<std::string> ec;
  /* The correct endpoint of the bucket, if the service names it. */
  std::optional<std::string> endpoint;
  /* The host id of the response. */
  std::optional<std::string> host_id;
  /* The request id, which identifies the request to the service's support. */
  std::optional<std::string> request_id;
  /* The HTTP status of the response, if there was one. */
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

/* A channel in a Sweep whose status could not be read. */
struct FailedChannel {
  /* The channel's id. */
  std::string id{};
  /* The error. */
  Error error{};
};

inline void from_json(const nlohmann::json &json, FailedChannel &value) {
  detail::required(json, "id", value.id);
  detail::required(json, "error", value.error);
}

/* The status of many channels, returned by monitor_channels. Each list is in the order in which
 * the channels were given. */
struct Sweep {
  /* Live channels. */
  std::vector<ChannelReport> live{};
  /* Idle channels. */
  std::vector<ChannelReport> idle{};
  /* Disabled channels. */
  std::vector<ChannelReport> disabled{};
  /* Channels whose status could not be read, with the error. */
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

/* The result for one channel of put_channels. In JSON, the fields of the URLs or an error are
 * next to the id. */
struct PutResult {
  /* The channel's id. */
  std::string id{};
  /* Why the channel was not put. */
  std::optional<Error> error;
  /* Unsigned play URLs. */
  std::optional<std::vector<std::string>> play_urls;
  /* Unsigned publish URLs. */
  std::optional<std::vector<std::string>> publish_urls;
  /* Describes the call. */
  std::optional<ResponseInfo> res;
};

inline void from_json(const nlohmann::json &json, PutResult &value) {
  detail::required(json, "id", value.id);
  detail::optional(json, "error", value.error);
  detail::optional(json, "playUrls", value.play_urls);
  detail::optional(json, "publishUrls", value.publish_urls);
  detail::optional(json, "res", value.res);
}

/* The results for many items. */
struct PutResults {
  /* One result per item, in the order given. */
  std::vector<PutResult> results{};
  /* The number of failed items. */
  std::uint64_t failed{};
  /* The number of items. */
  std::uint64_t total{};
};

inline void from_json(const nlohmann::json &json, PutResults &value) {
  detail::required(json, "results", value.results);
  detail::required(json, "failed", value.failed);
  detail::required(json, "total", value.total);
}

/* The result for a Highlight. */
struct HighlightResult {
  /* The highlight's name. */
  std::string name{};
  /* The name of its playlist, for get_play_url. */
  std::string playlist{};
  /* The end, in whole seconds. */
  std::optional<Time> end;
  /* Why the playlist was not saved, if it was not. */
  std::optional<Error> error;
  /* The start, in whole seconds; absent if there was nothing to save. */
  std::optional<Time> start;
};

inline void from_json(const nlohmann::json &json, HighlightResult &value) {
  detail::required(json, "name", value.name);
  detail::required(json, "playlist", value.playlist);
  detail::optional(json, "end", value.end);
  detail::optional(json, "error", value.error);
  detail::optional(json, "start", value.start);
}

/* The results for many items. */
struct HighlightResults {
  /* One result per item, in the order given. */
  std::vector<HighlightResult> results{};
  /* The number of failed items. */
  std::uint64_t failed{};
  /* The number of items. */
  std::uint64_t total{};
};

inline void from_json(const nlohmann::json &json, HighlightResults &value) {
  detail::required(json, "results", value.results);
  detail::required(json, "failed", value.failed);
  detail::required(json, "total", value.total);
}

/* The result of a download, returned by download_recording. */
struct Download {
  /* Start of the first fragment. */
  Time start_time{};
  /* End of the last fragment, to about a second. */
  Time end_time{};
  /* The number of fragments. */
  std::uint64_t fragments{};
  /* The size of the file. */
  std::uint64_t bytes{};
  /* The number of bytes that previous attempts had downloaded. */
  std::uint64_t resumed_bytes{};
  /* Gaps of three seconds or more, in which nothing was recorded. */
  std::vector<Gap> gaps{};
};

inline void from_json(const nlohmann::json &json, Download &value) {
  detail::required(json, "startTime", value.start_time);
  detail::required(json, "endTime", value.end_time);
  detail::required(json, "fragments", value.fragments);
  detail::required(json, "bytes", value.bytes);
  detail::required(json, "resumedBytes", value.resumed_bytes);
  detail::required(json, "gaps", value.gaps);
}

/* What a Check is about. String forms never change. */
enum class CheckId {
  /* A value newer than this header. */
  unknown,
  /* Region, endpoint and bucket are complete and do not contradict each other. */
  settings,
  /* An access key is configured and well formed. */
  credentials,
  /* The proxy between this machine and the service. */
  proxy,
  /* The bucket's host name resolves. */
  host_name,
  /* The service accepts connections for HTTP or HTTPS. */
  http_port,
  /* The certificate is trusted and belongs to the host. */
  tls,
  /* OSS itself responds, not a proxy or firewall in between. */
  service,
  /* This machine's clock agrees with the service's. */
  clock,
  /* The bucket is at this endpoint and in this region. */
  endpoint,
  /* The account may use the endpoint for data. */
  public_endpoint,
  /* The account accepts the signature version. */
  signature_version,
  /* The service knows the access key, and the secret and token belong to it. */
  access_key,
  /* The bucket exists. */
  bucket,
  /* Who may read the bucket without a signature. */
  bucket_acl,
  /* Whether the bucket blocks public access. */
  public_access_block,
  /* The access key may list channels. */
  permission_list_live_channel,
  /* The access key may read a channel's configuration. */
  permission_get_live_channel_info,
  /* The access key may read a channel's status. */
  permission_get_live_channel_stat,
  /* The access key may read a channel's history. */
  permission_get_live_channel_history,
  /* The access key may create channels. */
  permission_put_live_channel,
  /* The access key may enable and disable channels. */
  permission_put_live_channel_status,
  /* The access key may delete channels. */
  permission_delete_live_channel,
  /* The access key may save playlists. */
  permission_post_vod_playlist,
  /* The access key may build playlists. */
  permission_get_vod_playlist,
  /* The channel exists. */
  channel,
  /* The channel is enabled. */
  channel_enabled,
  /* The channel is live, and who publishes to it. */
  channel_live,
  /* The video codec is supported in fragments. */
  video,
  /* The audio codec is supported in fragments. */
  audio,
  /* Key frames are frequent enough for the fragment duration. */
  key_frames,
  /* The publish URL names the bucket's host. */
  publish_url_host,
  /* The publish URL ends in the app live and the channel. */
  publish_url_path,
  /* The publish URL has all parameters of a signature. */
  publish_url_query,
  /* The publish URL has not expired. */
  publish_url_expires,
  /* The publish URL's signature is correct. */
  publish_url_signature,
  /* The publish URL's playlist can be written. */
  publish_url_playlist,
  /* The service accepts connections for RTMP. */
  rtmp_port,
  /* An RTMP server responds, not a proxy or firewall in between. */
  rtmp_handshake,
  /* A stream was accepted. */
  rtmp_publish,
  /* The stream arrives in a playlist. */
  fragment,
  /* The playlist can be read without a signature. */
  play_unsigned,
  /* The playlist can be read with a signature. */
  play_signed,
  /* The service signs the fragments in the playlist. */
  play_fragments_signed,
  /* The fragments in the playlist can be read. */
  fragments,
  /* Players recognize playlist and fragments by their media types. */
  content_type,
  /* Browsers play what they receive instead of downloading it. */
  forced_download,
  /* Pages from the given origin may play the stream. */
  cors,
  /* Fragments that are stored but in no playlist. */
  unlisted_fragments,
};

NLOHMANN_JSON_SERIALIZE_ENUM(CheckId, {
    {CheckId::unknown, nullptr},
    {CheckId::settings, "settings"},
    {CheckId::credentials, "credentials"},
    {CheckId::proxy, "proxy"},
    {CheckId::host_name, "host-name"},
    {CheckId::http_port, "http-port"},
    {CheckId::tls, "tls"},
    {CheckId::service, "service"},
    {CheckId::clock, "clock"},
    {CheckId::endpoint, "endpoint"},
    {CheckId::public_endpoint, "public-endpoint"},
    {CheckId::signature_version, "signature-version"},
    {CheckId::access_key, "access-key"},
    {CheckId::bucket, "bucket"},
    {CheckId::bucket_acl, "bucket-acl"},
    {CheckId::public_access_block, "public-access-block"},
    {CheckId::permission_list_live_channel, "permission-list-live-channel"},
    {CheckId::permission_get_live_channel_info, "permission-get-live-channel-info"},
    {CheckId::permission_get_live_channel_stat, "permission-get-live-channel-stat"},
    {CheckId::permission_get_live_channel_history, "permission-get-live-channel-history"},
    {CheckId::permission_put_live_channel, "permission-put-live-channel"},
    {CheckId::permission_put_live_channel_status, "permission-put-live-channel-status"},
    {CheckId::permission_delete_live_channel, "permission-delete-live-channel"},
    {CheckId::permission_post_vod_playlist, "permission-post-vod-playlist"},
    {CheckId::permission_get_vod_playlist, "permission-get-vod-playlist"},
    {CheckId::channel, "channel"},
    {CheckId::channel_enabled, "channel-enabled"},
    {CheckId::channel_live, "channel-live"},
    {CheckId::video, "video"},
    {CheckId::audio, "audio"},
    {CheckId::key_frames, "key-frames"},
    {CheckId::publish_url_host, "publish-url-host"},
    {CheckId::publish_url_path, "publish-url-path"},
    {CheckId::publish_url_query, "publish-url-query"},
    {CheckId::publish_url_expires, "publish-url-expires"},
    {CheckId::publish_url_signature, "publish-url-signature"},
    {CheckId::publish_url_playlist, "publish-url-playlist"},
    {CheckId::rtmp_port, "rtmp-port"},
    {CheckId::rtmp_handshake, "rtmp-handshake"},
    {CheckId::rtmp_publish, "rtmp-publish"},
    {CheckId::fragment, "fragment"},
    {CheckId::play_unsigned, "play-unsigned"},
    {CheckId::play_signed, "play-signed"},
    {CheckId::play_fragments_signed, "play-fragments-signed"},
    {CheckId::fragments, "fragments"},
    {CheckId::content_type, "content-type"},
    {CheckId::forced_download, "forced-download"},
    {CheckId::cors, "cors"},
    {CheckId::unlisted_fragments, "unlisted-fragments"},
})

/* The verdict of a Check. */
enum class Verdict {
  /* A value newer than this header. */
  unknown,
  /* Not checked: it does not apply, or a problem prevents it. */
  not_checked,
  /* As it should be. */
  ok,
  /* Works, but not for every client or not in every case. */
  warning,
  /* Prevents publishing or playing. */
  problem,
};

NLOHMANN_JSON_SERIALIZE_ENUM(Verdict, {
    {Verdict::unknown, nullptr},
    {Verdict::not_checked, "notChecked"},
    {Verdict::ok, "ok"},
    {Verdict::warning, "warning"},
    {Verdict::problem, "problem"},
})

/* One check of a Diagnosis. */
struct Check {
  /* What it is about. */
  CheckId id{};
  /* The verdict. */
  Verdict verdict{};
  /* What was seen, or why it was not checked, in one sentence. */
  std::string seen{};
  /* What to do about a warning or a problem. */
  std::optional<std::string> advice;
};

inline void from_json(const nlohmann::json &json, Check &value) {
  detail::required(json, "id", value.id);
  detail::required(json, "verdict", value.verdict);
  detail::required(json, "seen", value.seen);
  detail::optional(json, "advice", value.advice);
}

/* Why there is, or may be, no video; returned by diagnose. */
struct Diagnosis {
  /* Every check, in the order of CheckId. */
  std::vector<Check> checks{};
  /* The number of problems. */
  std::uint64_t problems{};
  /* The number of warnings. */
  std::uint64_t warnings{};
  /* The elapsed time in milliseconds. */
  std::uint64_t elapsed_ms{};
};

inline void from_json(const nlohmann::json &json, Diagnosis &value) {
  detail::required(json, "checks", value.checks);
  detail::required(json, "problems", value.problems);
  detail::required(json, "warnings", value.warnings);
  detail::required(json, "elapsedMs", value.elapsed_ms);
}

/* The kinds of Change. */
enum class ChangeKind {
  /* A value newer than this header. */
  unknown,
  /* The channel went live. */
  went_live,
  /* The channel went idle. */
  went_idle,
  /* The channel was disabled. */
  disabled,
  /* The channel was enabled. */
  enabled,
  /* Another publisher, or the same one from another port, took over, and the channel was not
   * seen idle in between. */
  new_publisher,
  /* Video and audio together are below min_bandwidth. */
  bandwidth_low,
  /* Video and audio together are no longer below the limit. */
  bandwidth_recovered,
  /* The frame rate fell by more than frame_rate_drop since the previous sweep. */
  frame_rate_fell,
  /* The status of the channel cannot be read. The last known status is kept; later changes are
   * reported relative to it. */
  failing,
  /* The status of the channel can be read again. */
  recovered,
  /* The channel does not exist, or no longer does. Reported once, until it is created. */
  gone,
  /* The channel exists again. */
  created,
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
    {ChangeKind::gone, "gone"},
    {ChangeKind::created, "created"},
})

/* A change of a channel. In JSON it is one object, in which change names the kind. */
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

/* The changes from one sweep to the next. */
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

/* Reads the result of get_channel_status, wait_until_live, wait_until_idle. */
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

/* Reads the result of download_recording. */
inline Download download(const std::string &text) {
  return detail::parse<Download>(text);
}

/* Reads the result of diagnose. */
inline Diagnosis diagnosis(const std::string &text) {
  return detail::parse<Diagnosis>(text);
}

/* Reads the result of next_changes. */
inline Changes changes(const std::string &text) {
  return detail::parse<Changes>(text);
}

}  // namespace typed
}  // namespace osslive

#endif  /* OSSLIVE_JSON_HPP */
