/*
 * osslive: RTMP live channels on Alibaba Cloud OSS, for C++17.
 *
 *     osslive::Config config;
 *     config.region = "cn-hangzhou";
 *     config.bucket = "my-bucket";
 *     config.load_env = true;
 *     osslive::Client client(config);
 *     client.put_channel("main-stage", {"Main stage"});
 *     std::cout << client.get_rtmp_url("main-stage") << '\n';
 *
 * Failures throw osslive::Error. Strings are UTF-8. Calls to the service return
 * JSON, whose keys are listed with each function: "?" marks an optional key, "[]"
 * an array, which is always present. Times are RFC 3339. res describes the call:
 * an object of status (HTTP), requestId?, elapsedMs, attempts. error describes
 * the failure of one of many items: an object of kind, message, attempts, text
 * (all of it in one line), code?, status?, requestId?, ec?, hostId?, endpoint?
 * (if the service names the correct one). osslive_json.hpp reads results into
 * C++ types, with nlohmann/json. URLs and playlists are plain text.
 *
 * Any number of threads may use a Client at once. Calls to the service block, by
 * default for at most 30 seconds: keep them off threads that render or handle
 * audio.
 *
 * Link with the C library: pkg-config osslive, or osslive::osslive in CMake.
 */

#ifndef OSSLIVE_HPP
#define OSSLIVE_HPP

#include "osslive.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace osslive {

/* The category of a failure. */
enum class Status {
  invalid_argument = OSSLIVE_ERR_INVALID_ARGUMENT, /* invalid; nothing was sent */
  config = OSSLIVE_ERR_CONFIG,                     /* incomplete or contradictory */
  credentials = OSSLIVE_ERR_CREDENTIALS,           /* missing or invalid */
  connection = OSSLIVE_ERR_CONNECTION,             /* name resolution, TCP, TLS or proxy */
  timeout = OSSLIVE_ERR_TIMEOUT,                   /* timed out */
  service = OSSLIVE_ERR_SERVICE,                   /* error from the service: see code() */
  bad_reply = OSSLIVE_ERR_BAD_REPLY,               /* invalid response */
  internal = OSSLIVE_ERR_INTERNAL,                 /* a bug in the library: please report it */
  stopped = OSSLIVE_ERR_STOPPED,                   /* stopped by the caller */
  file = OSSLIVE_ERR_FILE                          /* a local file could not be read or written */
};

/* An error. what() is one line with everything known about it. */
class Error : public std::runtime_error {
 public:
  Error(Status status, const std::string &message) : std::runtime_error(message), status_(status) {}

  /* Copies the details of an error of the C interface, which the caller still
   * owns. */
  explicit Error(const osslive_error *error)
      : std::runtime_error(osslive_error_message(error)),
        status_(static_cast<Status>(osslive_error_status(error))),
        code_(text(osslive_error_code(error))),
        http_status_(osslive_error_http_status(error)),
        request_id_(text(osslive_error_request_id(error))),
        ec_(text(osslive_error_ec(error))) {}

  /* Returns the category of the failure. */
  Status status() const noexcept { return status_; }

  /* Returns the name of the reason, such as "NoSuchLiveChannel",
   * "ChannelStillLive", "ChannelAlreadyExists" or "AccessDenied"; "" if there
   * is none. */
  const std::string &code() const noexcept { return code_; }

  /* Returns the HTTP status of the response, if there was one. */
  std::optional<int> http_status() const noexcept {
    return http_status_ == 0 ? std::nullopt : std::optional<int>(http_status_);
  }

  /* Returns the request id, which the service's support uses to find the request;
   * "" if unknown. */
  const std::string &request_id() const noexcept { return request_id_; }

  /* Returns the service's detailed error code (EC), such as "0044-00000308"; ""
   * if unknown. */
  const std::string &ec() const noexcept { return ec_; }

 private:
  static std::string text(const char *text) { return text == nullptr ? "" : text; }

  Status status_;
  std::string code_;
  int http_status_ = 0;
  std::string request_id_;
  std::string ec_;
};

/* An access key, with an STS token if it is temporary. */
struct Credentials {
  std::string access_key_id;
  std::string access_key_secret;
  std::optional<std::string> security_token = std::nullopt;
};

/* A profile of a config file, ossutil's or the aliyun command's. */
struct Profile {
  std::optional<std::string> path = std::nullopt; /* ~/.ossutilconfig, or
                                                     ~/.aliyun/config.json */
  std::optional<std::string> name = std::nullopt; /* the default profile */
};

/* The RAM role of the ECS instance. */
struct EcsRole {
  std::optional<std::string> name = std::nullopt; /* from the metadata service */
};

/* A RAM role, assumed with the token of an OIDC provider, as RRSA does in Kubernetes. */
struct OidcRole {
  std::string role_arn;
  std::string oidc_provider_arn;
  std::string oidc_token_file; /* read again for each refresh */
  std::optional<std::string> session_name = std::nullopt; /* "osslive" */
  std::optional<std::string> sts_endpoint = std::nullopt; /* the environment's,
                                                           else sts.aliyuncs.com */
};

/* Whether a channel is enabled. */
enum class ChannelStatus { enabled, disabled };

/* Where the bucket appears in URLs. */
enum class AddressingStyle {
  virtual_hosted, /* https://BUCKET.ENDPOINT/ */
  path,           /* https://ENDPOINT/BUCKET/ */
  cname           /* https://ENDPOINT/, a custom domain bound to the bucket */
};

/* The configuration of a Client. It needs a bucket, credentials, and a region
 * or an endpoint; other settings have the default noted beside them. */
struct Config {
  std::optional<std::string> region = std::nullopt;   /* inferred from the endpoint */
  std::optional<std::string> endpoint = std::nullopt; /* the region's public one; or "http://HOST:PORT" */
  std::optional<std::string> bucket = std::nullopt;
  std::optional<Credentials> credentials = std::nullopt;

  /* Reads the access key from OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET and
   * OSS_SESSION_TOKEN, and region, endpoint and bucket from OSS_REGION,
   * OSS_ENDPOINT and OSS_BUCKET, unless set here. */
  bool load_env = false;
  /* Reads the access key, region and endpoint from a profile, unless set here. */
  std::optional<Profile> profile = std::nullopt;
  /* Finds credentials as the vendor's tools do: see
   * osslive_config_load_default_credentials. */
  bool load_default_credentials = false;
  /* Sources of temporary credentials: at most one of these. They are obtained by
   * the first call that needs them, and refreshed before they expire. */
  std::optional<EcsRole> ecs_role = std::nullopt;
  std::optional<OidcRole> oidc_role = std::nullopt;
  std::optional<std::string> credential_process = std::nullopt; /* a command: see
                                             osslive_config_set_credential_process */
  std::optional<std::string> credentials_uri = std::nullopt;

  bool internal = false; /* use the region's internal endpoint, from inside its network */
  bool secure = true;    /* use TLS if the endpoint has no scheme */
  std::optional<AddressingStyle> addressing_style = std::nullopt; /* path for IP addresses and
                                                          localhost, else virtual_hosted */
  std::uint32_t signature_version = 4;                   /* or 1, for gateways that only support 1 */
  std::chrono::milliseconds connect_timeout{10000};
  std::chrono::milliseconds timeout{30000}; /* of a call, including retries and back-off */
  std::uint32_t attempts = 3;               /* maximum per call */
  std::uint32_t pool_size = 16;             /* maximum idle connections */
  std::optional<std::string> proxy = std::nullopt; /* from HTTPS_PROXY, HTTP_PROXY and
                                                      NO_PROXY; "" for none */
  std::optional<std::string> root_certificates = std::nullopt; /* PEM, in place of
                                                                  Mozilla's */
  std::string user_agent;          /* appended to the library's own */
  bool sign_security_token = true; /* sign the STS token in publish URLs; false appends it unsigned */
};

/* Snapshots of key frames, in regions that support them. */
struct Snapshot {
  std::string role_name;         /* RAM role that writes them */
  std::string dest_bucket;       /* destination bucket */
  std::string notify_topic;      /* message topic that announces them */
  std::chrono::seconds interval; /* 1 to 100 */
};

/* The configuration of a channel. */
struct ChannelConfig {
  std::string name; /* stored as the description, unless one is set */
  std::optional<std::string> description = std::nullopt; /* at most 128 bytes */
  ChannelStatus status = ChannelStatus::enabled;
  std::chrono::seconds frag_duration{5}; /* 1 to 100; a fragment ends at the next key frame */
  std::uint32_t frag_count = 3;          /* fragments in the live playlist, 1 to 100 */
  std::string playlist_name = "playlist.m3u8";
  std::optional<Snapshot> snapshot = std::nullopt;
};

/* Parameters of a publish URL: names and values. */
using Params = std::vector<std::pair<std::string, std::string>>;

/* A time in a recording, to the second. */
using Time = std::chrono::system_clock::time_point;

/* Options for batch operations on channels. */
struct SweepOptions {
  std::uint32_t max_parallel = 8; /* maximum concurrent requests, 1 to 256 */
  double rate = 0;                /* maximum requests per second; 0 for no limit */
  /* A timeout for the whole operation, or for each sweep of a monitor; default: none. */
  std::optional<std::chrono::milliseconds> time_limit = std::nullopt;
};

/* Options for a ChannelMonitor: how it sweeps, and what it reports. */
struct MonitorOptions {
  std::chrono::milliseconds interval{30000}; /* from the start of one sweep to the next */
  SweepOptions sweep = {};
  std::uint64_t min_bandwidth = 0; /* video and audio, in bytes per second; 0 disables it */
  double frame_rate_drop = 0.1;    /* report drops of more than this fraction */
};

/* What Client::diagnose examines: the bucket, and everything set here. */
struct Diagnose {
  std::optional<std::string> id = std::nullopt;          /* a channel */
  std::optional<std::string> publish_url = std::nullopt; /* the URL an encoder uses */
  std::optional<std::string> play_url = std::nullopt;    /* a play URL of the channel */
  std::optional<std::string> origin = std::nullopt;      /* of web pages that play it */
};

/* A progress callback. It receives the number of finished items, failures
 * included, and the total, and returns whether to continue; the remaining items
 * then fail with the kind "stopped". It runs on the thread that made the call.
 * If it throws, the work stops and the call throws the exception. */
using Progress = std::function<bool(std::size_t done, std::size_t total)>;

/* A status callback. It receives a channel's JSON (id and what get_channel_status
 * returns, or id and error), and returns whether to continue. It runs on the thread
 * that made the call. If it throws, the work stops and the call throws the
 * exception. */
using OnStatus = std::function<bool(const std::string &json)>;

/* A part of a recording: of a session, or between two times. */
struct Highlight {
  std::string name; /* playlist name; ".m3u8" is appended if missing */
  std::chrono::milliseconds from{0}; /* offset from the session's start; from its end if negative */
  std::chrono::milliseconds to{0};   /* likewise; 0 is the end */
  std::optional<Time> session = std::nullopt; /* a time within it; default: the latest */
  std::optional<Time> start = std::nullopt;   /* instead of offsets: set both, */
  std::optional<Time> end = std::nullopt;     /* and none of the above */
};

/* Which part of a recording to download, and how. Set session, or start and end,
 * or last; without any, it is the latest session. */
struct Download {
  std::optional<Time> session = std::nullopt; /* a time within it */
  std::optional<Time> start = std::nullopt;
  std::optional<Time> end = std::nullopt;
  std::chrono::milliseconds last{0}; /* how far to go back from now */
  unsigned max_parallel = 4;         /* concurrent transfers, at most 64 */
  bool follow = false;               /* go on until the channel is no longer live or end is reached */
  bool overwrite = false;            /* replace a file; start over instead of resuming */
};

namespace detail {

struct Deleter {
  void operator()(osslive_config *config) const noexcept { osslive_config_free(config); }
  void operator()(osslive_client *client) const noexcept { osslive_client_free(client); }
  void operator()(osslive_channel_config *config) const noexcept {
    osslive_channel_config_free(config);
  }
  void operator()(osslive_sweep_options *options) const noexcept {
    osslive_sweep_options_free(options);
  }
  void operator()(osslive_channel_monitor *monitor) const noexcept {
    osslive_channel_monitor_free(monitor);
  }
  void operator()(osslive_error *error) const noexcept { osslive_error_free(error); }
  void operator()(char *string) const noexcept { osslive_string_free(string); }
};

template <typename T>
using Owned = std::unique_ptr<T, Deleter>;

/* Makes a C call and throws its error. */
template <typename Call>
void check(Call call) {
  osslive_error *error = nullptr;
  const osslive_status status = call(&error);
  const Owned<osslive_error> owned(error);
  if (status != OSSLIVE_OK) throw Error(owned.get());
}

/* Makes a C call and returns its output. */
template <typename T, typename Call>
Owned<T> made(Call call) {
  T *out = nullptr;
  check([&](osslive_error **error) { return call(&out, error); });
  return Owned<T>(out);
}

template <typename Call>
std::string text_of(Call call) {
  return made<char>(call).get();
}

/* A std::string may contain a NUL, which would end a C string. */
inline const char *c_text(const std::string &text) {
  if (text.find('\0') != std::string::npos)
    throw Error(Status::invalid_argument, "a string contains a NUL character");
  return text.c_str();
}

inline const char *c_text(const std::optional<std::string> &text) {
  return text ? c_text(*text) : nullptr;
}

template <typename Duration>
std::uint32_t count(Duration duration) {
  if (duration.count() < 0 || duration.count() > (std::numeric_limits<std::uint32_t>::max)())
    throw Error(Status::invalid_argument, "a duration is negative or too long");
  return static_cast<std::uint32_t>(duration.count());
}

inline std::int64_t unix_seconds(Time time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

inline const char *c_text(ChannelStatus status) {
  return status == ChannelStatus::enabled ? "enabled" : "disabled";
}

inline const char *c_text(AddressingStyle style) {
  switch (style) {
    case AddressingStyle::virtual_hosted: return "virtual";
    case AddressingStyle::path: return "path";
    case AddressingStyle::cname: return "cname";
  }
  return "";
}

inline void place(osslive_config *c, const Config &config) {
  const auto set = [c](auto setter, const std::optional<std::string> &value) {
    if (value) check([&](osslive_error **e) { return setter(c, c_text(*value), e); });
  };
  set(osslive_config_set_region, config.region);
  set(osslive_config_set_endpoint, config.endpoint);
  set(osslive_config_set_bucket, config.bucket);
  if (config.load_env)
    check([&](osslive_error **e) { return osslive_config_load_env(c, e); });
  if (const auto &profile = config.profile)
    check([&](osslive_error **e) {
      return osslive_config_load_profile(c, c_text(profile->path), c_text(profile->name), e);
    });
  if (config.load_default_credentials)
    check([&](osslive_error **e) { return osslive_config_load_default_credentials(c, e); });
  if (const auto &role = config.ecs_role)
    check([&](osslive_error **e) { return osslive_config_set_ecs_role(c, c_text(role->name), e); });
  if (const auto &role = config.oidc_role)
    check([&](osslive_error **e) {
      return osslive_config_set_oidc_role(c, c_text(role->role_arn),
                                          c_text(role->oidc_provider_arn),
                                          c_text(role->oidc_token_file),
                                          c_text(role->session_name),
                                          c_text(role->sts_endpoint), e);
    });
  set(osslive_config_set_credential_process, config.credential_process);
  set(osslive_config_set_credentials_uri, config.credentials_uri);
  if (const auto &key = config.credentials)
    check([&](osslive_error **e) {
      return osslive_config_set_credentials(c, c_text(key->access_key_id),
                                            c_text(key->access_key_secret),
                                            c_text(key->security_token), e);
    });
}

inline Owned<osslive_config> make(const Config &config) {
  Owned<osslive_config> owned(osslive_config_new());
  osslive_config *c = owned.get();
  const auto set = [c](auto setter, auto value) {
    check([&](osslive_error **e) { return setter(c, value, e); });
  };
  place(c, config);
  set(osslive_config_set_internal, config.internal ? 1 : 0);
  set(osslive_config_set_secure, config.secure ? 1 : 0);
  set(osslive_config_set_signature_version, config.signature_version);
  set(osslive_config_set_connect_timeout_ms, count(config.connect_timeout));
  set(osslive_config_set_timeout_ms, count(config.timeout));
  set(osslive_config_set_attempts, config.attempts);
  set(osslive_config_set_pool_size, config.pool_size);
  if (config.root_certificates)
    set(osslive_config_set_root_certificates, c_text(*config.root_certificates));
  set(osslive_config_set_user_agent, c_text(config.user_agent));
  set(osslive_config_set_sign_security_token, config.sign_security_token ? 1 : 0);
  if (config.addressing_style)
    set(osslive_config_set_addressing_style, c_text(*config.addressing_style));
  if (config.proxy)
    set(osslive_config_set_proxy, config.proxy->empty() ? nullptr : c_text(*config.proxy));
  return owned;
}

inline Owned<osslive_channel_config> make(const ChannelConfig &config) {
  auto owned = made<osslive_channel_config>([&](auto **out, osslive_error **e) {
    return osslive_channel_config_new(c_text(config.name), out, e);
  });
  osslive_channel_config *c = owned.get();
  const auto set = [c](auto setter, auto value) {
    check([&](osslive_error **e) { return setter(c, value, e); });
  };
  if (config.description) set(osslive_channel_config_set_description, c_text(*config.description));
  set(osslive_channel_config_set_status, c_text(config.status));
  set(osslive_channel_config_set_frag_duration, count(config.frag_duration));
  set(osslive_channel_config_set_frag_count, config.frag_count);
  set(osslive_channel_config_set_playlist_name, c_text(config.playlist_name));
  if (const auto &snapshot = config.snapshot)
    check([&](osslive_error **e) {
      return osslive_channel_config_set_snapshot(
          c, c_text(snapshot->role_name), c_text(snapshot->dest_bucket),
          c_text(snapshot->notify_topic), count(snapshot->interval), e);
    });
  return owned;
}

inline std::vector<const char *> c_texts(const std::vector<std::string> &texts) {
  std::vector<const char *> c;
  for (const auto &text : texts) c.push_back(c_text(text));
  return c;
}

inline Owned<osslive_sweep_options> make(const SweepOptions &options) {
  Owned<osslive_sweep_options> owned(osslive_sweep_options_new());
  osslive_sweep_options *c = owned.get();
  const auto set = [c](auto setter, auto value) {
    check([&](osslive_error **e) { return setter(c, value, e); });
  };
  set(osslive_sweep_options_set_max_parallel, options.max_parallel);
  set(osslive_sweep_options_set_rate, options.rate);
  if (options.time_limit)
    set(osslive_sweep_options_set_time_limit_ms, count(*options.time_limit));
  return owned;
}

inline Owned<osslive_sweep_options> make(const MonitorOptions &options) {
  auto owned = make(options.sweep);
  osslive_sweep_options *c = owned.get();
  const auto set = [c](auto setter, auto value) {
    check([&](osslive_error **e) { return setter(c, value, e); });
  };
  set(osslive_sweep_options_set_interval_ms, count(options.interval));
  set(osslive_sweep_options_set_min_bandwidth, options.min_bandwidth);
  set(osslive_sweep_options_set_frame_rate_drop, options.frame_rate_drop);
  return owned;
}

inline osslive_highlight c_highlight(const Highlight &highlight) {
  /* 0 means unset; no recording is from 1970. */
  const auto seconds = [](const std::optional<Time> &time) {
    return time ? unix_seconds(*time) : 0;
  };
  if (highlight.start.has_value() != highlight.end.has_value())
    throw Error(Status::invalid_argument, "a highlight needs both start and end");
  osslive_highlight c = {};
  c.name = c_text(highlight.name);
  c.from_ms = highlight.from.count();
  c.to_ms = highlight.to.count();
  c.session_time = seconds(highlight.session);
  c.start_time = seconds(highlight.start);
  c.end_time = seconds(highlight.end);
  return c;
}

inline osslive_download c_download(const std::string &path, const Download &download) {
  if (download.start.has_value() != download.end.has_value())
    throw Error(Status::invalid_argument, "a download needs both start and end");
  osslive_download c = {};
  c.path = c_text(path);
  c.session_time = download.session ? unix_seconds(*download.session) : 0;
  c.start_time = download.start ? unix_seconds(*download.start) : 0;
  c.end_time = download.end ? unix_seconds(*download.end) : 0;
  c.last_ms = download.last.count();
  c.max_parallel = download.max_parallel;
  c.follow = download.follow;
  c.overwrite = download.overwrite;
  return c;
}

/* A Progress for the C interface; its exception is kept until C has returned. */
class Listener {
 public:
  explicit Listener(const Progress &progress) : progress_(progress) {}

  osslive_progress_callback callback() const noexcept { return progress_ ? &on_progress : nullptr; }

  /* The string returned by the call that this observes. */
  template <typename Call>
  std::string text_of(Call call) {
    const auto text = made<char>(call);
    if (thrown_) std::rethrow_exception(thrown_);
    return text.get();
  }

 private:
  static int on_progress(std::size_t done, std::size_t total, void *user_data) {
    auto &listener = *static_cast<Listener *>(user_data);
    try {
      return listener.progress_(done, total) ? 0 : 1;
    } catch (...) {
      listener.thrown_ = std::current_exception();
      return 1;
    }
  }

  const Progress &progress_;
  std::exception_ptr thrown_;
};

/* An OnStatus for the C interface; its exception is kept until C has returned. */
class StatusListener {
 public:
  explicit StatusListener(const OnStatus &on_status) : on_status_(on_status) {}

  osslive_status_callback callback() const noexcept { return on_status_ ? &on_status : nullptr; }

  /* Makes the call that this observes. */
  template <typename Call>
  void check(Call call) {
    try {
      detail::check(call);
    } catch (const Error &) {
      if (!thrown_) throw;
    }
    if (thrown_) std::rethrow_exception(thrown_);
  }

 private:
  static int on_status(const char *json, void *user_data) {
    auto &listener = *static_cast<StatusListener *>(user_data);
    try {
      return listener.on_status_(json) ? 0 : 1;
    } catch (...) {
      listener.thrown_ = std::current_exception();
      return 1;
    }
  }

  const OnStatus &on_status_;
  std::exception_ptr thrown_;
};

}  // namespace detail

/* A client for the live channels of one bucket. Movable, not copyable; any
 * number of threads may use it at once. A moved-from client may only be
 * assigned to or destroyed. */
class Client {
 public:
  /* Creates a client. Sends nothing. */
  explicit Client(const Config &config)
      : client_(detail::made<osslive_client>([&](osslive_client **out, osslive_error **e) {
          return osslive_client_new(detail::make(config).get(), out, e);
        })) {}

  /* Returns a client with a different call timeout that shares connections and
   * credentials with this one. */
  Client with_timeout(std::chrono::milliseconds timeout) const {
    return Client(detail::made<osslive_client>([&](osslive_client **out, osslive_error **e) {
      return osslive_client_with_timeout_ms(get(), detail::count(timeout), out, e);
    }));
  }

  /* Shuts down this client and those created from it: calls in progress on any
   * thread end at once with Status::stopped, and later calls fail likewise. */
  void shutdown() const {
    detail::check([&](osslive_error **e) { return osslive_client_shutdown(get(), e); });
  }

  /* Replaces the access key, even while other threads make calls: calls in
   * progress finish with the previous key. */
  void set_credentials(const Credentials &key) const {
    detail::check([&](osslive_error **e) {
      return osslive_client_set_credentials(get(), detail::c_text(key.access_key_id),
                                            detail::c_text(key.access_key_secret),
                                            detail::c_text(key.security_token), e);
    });
  }

  /* Creates a channel, or replaces its configuration (PutLiveChannel).
   * JSON: publishUrls[], playUrls[] (unsigned), res. Code ChannelStillLive
   * while it is live. */
  std::string put_channel(const std::string &id, const ChannelConfig &config) const {
    return put(osslive_put_channel, id, config);
  }

  /* Creates a channel that does not exist. JSON: as put_channel. Code
   * ChannelAlreadyExists. */
  std::string create_channel(const std::string &id, const ChannelConfig &config) const {
    return put(osslive_create_channel, id, config);
  }

  /* Returns a channel's configuration (GetLiveChannelInfo).
   * JSON: name (the id), description, status ("enabled" or "disabled"), type,
   * fragDuration (seconds), fragCount, playlistName, createTime? (reserved),
   * lastModified?, publishUrls[], playUrls[], res. Code NoSuchLiveChannel. */
  std::string get_channel(const std::string &id) const { return call(osslive_get_channel, id); }

  /* Deletes a channel; recordings are kept. Succeeds if it does not exist
   * (DeleteLiveChannel). JSON: res. Code ChannelStillLive. */
  std::string delete_channel(const std::string &id) const {
    return call(osslive_delete_channel, id);
  }

  /* Returns one page of channels, in byte order: names that start with prefix
   * and come after marker, at most max_keys (1 to 1000; 0 for the service's
   * default of 100) (ListLiveChannel).
   * JSON: channels[] of name, description, status, lastModified?,
   * publishUrls[], playUrls[]; isTruncated; nextMarker? (the marker of the next
   * page); res. */
  std::string list_channels(const std::string &prefix = "", const std::string &marker = "",
                            std::uint32_t max_keys = 0) const {
    return detail::text_of([&](char **out, osslive_error **e) {
      return osslive_list_channels(get(), detail::c_text(prefix), detail::c_text(marker), max_keys,
                                   out, e);
    });
  }

  /* Enables or disables a channel; disabling disconnects its publisher
   * (PutLiveChannelStatus). JSON: res. Code NoSuchLiveChannel. */
  std::string put_channel_status(const std::string &id, ChannelStatus status) const {
    return detail::text_of([&](char **out, osslive_error **e) {
      return osslive_put_channel_status(get(), detail::c_text(id), detail::c_text(status), out, e);
    });
  }

  /* Returns the channel's status (GetLiveChannelStat).
   * JSON: status ("Live", "Idle" or "Disabled"), connectedTime?, remoteAddr?,
   * video? of width, height, frameRate, bandwidth, codec, audio? of bandwidth,
   * sampleRate, codec; res. Optional keys are present only while the channel is
   * live. Bandwidths are in bytes per second. Code NoSuchLiveChannel. */
  std::string get_channel_status(const std::string &id) const {
    return call(osslive_get_channel_status, id);
  }

  /* Reports whether a channel is live. Code NoSuchLiveChannel. */
  bool is_channel_live(const std::string &id) const {
    int live = 0;
    detail::check([&](osslive_error **e) {
      return osslive_is_channel_live(get(), detail::c_text(id), &live, e);
    });
    return live != 0;
  }

  /* Waits until a publisher is connected, for at most limit. Polls at once, then
   * after 250 ms, and each interval is 1.5 times the previous one, up
   * to 5 s. Transient failures don't end the wait. JSON: as
   * get_channel_status (of the last poll). Codes WaitTimedOut (Status::timeout)
   * and NoSuchLiveChannel; Status::stopped, at once, after shutdown. */
  std::string wait_until_live(const std::string &id, std::chrono::milliseconds limit) const {
    const auto limit_ms = detail::count(limit);
    return detail::text_of([&](char **out, osslive_error **e) {
      return osslive_wait_until_live(get(), detail::c_text(id), limit_ms, out, e);
    });
  }

  /* Waits until no publisher is connected: the channel is idle or disabled.
   * Otherwise the same as wait_until_live. JSON: as get_channel_status. */
  std::string wait_until_idle(const std::string &id, std::chrono::milliseconds limit) const {
    const auto limit_ms = detail::count(limit);
    return detail::text_of([&](char **out, osslive_error **e) {
      return osslive_wait_until_idle(get(), detail::c_text(id), limit_ms, out, e);
    });
  }

  /* Waits until the channel does not exist. Polls and fails like
   * wait_until_live, except that NoSuchLiveChannel is a success. */
  void wait_until_deleted(const std::string &id, std::chrono::milliseconds limit) const {
    const auto limit_ms = detail::count(limit);
    detail::check([&](osslive_error **e) {
      return osslive_wait_until_deleted(get(), detail::c_text(id), limit_ms, e);
    });
  }

  /* Returns the last ten finished sessions, oldest first (GetLiveChannelHistory).
   * After a publisher has disconnected, call wait_until_idle first. JSON: records[]
   * of startTime, endTime, remoteAddr; res. Code NoSuchLiveChannel. */
  std::string get_channel_history(const std::string &id) const {
    return call(osslive_get_channel_history, id);
  }

  /* Summarizes the sessions of the given number of past days (GetLiveChannelHistory). The
   * service keeps only the last ten finished sessions: isTruncated means that
   * there may have been more.
   * JSON: startTime, endTime (of the analyzed period); sessionCount;
   * totalDurationHours; averageDurationMinutes (0 without sessions);
   * uniqueIps[] (without ports); gaps[] of startTime, endTime, durationMinutes;
   * sessions[] and longestSession? of startTime, endTime, durationMinutes,
   * remoteAddr; isTruncated. Code NoSuchLiveChannel. */
  std::string analyze_history(const std::string &id, std::uint32_t days) const {
    return detail::text_of([&](char **out, osslive_error **e) {
      return osslive_analyze_history(get(), detail::c_text(id), days, out, e);
    });
  }

  /* Returns the status of many channels, several at a time
   * (GetLiveChannelStat). Failures are isolated.
   * JSON: live[], idle[] and disabled[] of id and what
   * get_channel_status returns, failed[] of id and error, total. */
  std::string monitor_channels(const std::vector<std::string> &ids,
                               const SweepOptions &options = {},
                               const Progress &progress = {}) const {
    const auto c_ids = detail::c_texts(ids);
    const auto c_options = detail::make(options);
    detail::Listener listener(progress);
    return listener.text_of([&](char **out, osslive_error **e) {
      return osslive_monitor_channels(get(), c_ids.data(), c_ids.size(), c_options.get(),
                                      listener.callback(), &listener, out, e);
    });
  }

  /* Reads the status of many channels, several at a time, and calls on_status with each
   * as it arrives (GetLiveChannelStat). Nothing is kept, so memory use does
   * not depend on the number of channels. Duplicate ids are read again.
   * Status::stopped if the callback stopped the operation or the time limit was reached
   * before all channels were read. */
  void sweep_channels(const std::vector<std::string> &ids, const OnStatus &on_status,
                      const SweepOptions &options = {}) const {
    const auto c_ids = detail::c_texts(ids);
    const auto c_options = detail::make(options);
    detail::StatusListener listener(on_status);
    listener.check([&](osslive_error **e) {
      return osslive_sweep_channels(get(), c_ids.data(), c_ids.size(), c_options.get(),
                                    listener.callback(), &listener, e);
    });
  }

  /* Creates or replaces many channels, several at a time (PutLiveChannel).
   * Failures are isolated; a duplicate of an earlier id fails.
   * JSON: results[] of id and either publishUrls[], playUrls[], res, or error;
   * failed, total. */
  std::string put_channels(const std::vector<std::pair<std::string, ChannelConfig>> &channels,
                           const SweepOptions &options = {},
                           const Progress &progress = {}) const {
    std::vector<const char *> c_ids;
    std::vector<detail::Owned<osslive_channel_config>> owned;
    std::vector<const osslive_channel_config *> c_configs;
    for (const auto &channel : channels) {
      c_ids.push_back(detail::c_text(channel.first));
      owned.push_back(detail::make(channel.second));
      c_configs.push_back(owned.back().get());
    }
    const auto c_options = detail::make(options);
    detail::Listener listener(progress);
    return listener.text_of([&](char **out, osslive_error **e) {
      return osslive_put_channels(get(), c_ids.data(), c_configs.data(), c_ids.size(),
                                  c_options.get(), listener.callback(), &listener, out, e);
    });
  }

  /* Examines the path from this machine to the bucket's live channels, and says
   * in plain words why there is no video. Takes at most ten seconds and changes
   * nothing.
   * JSON: checks[] of id (such as "rtmp-port"), verdict ("notChecked", "ok",
   * "warning" or "problem"), seen, advice?; problems, warnings, elapsedMs. */
  std::string diagnose(const Diagnose &options = {}, const Progress &progress = {}) const {
    detail::Listener listener(progress);
    return listener.text_of([&](char **out, osslive_error **e) {
      return osslive_diagnose(get(), detail::c_text(options.id),
                              detail::c_text(options.publish_url),
                              detail::c_text(options.play_url), detail::c_text(options.origin),
                              listener.callback(), &listener, out, e);
    });
  }

  /* Saves parts of a channel's recording as playlists, clipped to the known
   * sessions. Failures are isolated.
   * JSON: results[] of name, playlist (for get_play_url), start?, end?, error?;
   * failed, total. Code NoSuchLiveChannel. */
  std::string create_highlights(const std::string &id, const std::vector<Highlight> &highlights,
                                const Progress &progress = {}) const {
    std::vector<osslive_highlight> c;
    for (const auto &highlight : highlights) c.push_back(detail::c_highlight(highlight));
    detail::Listener listener(progress);
    return listener.text_of([&](char **out, osslive_error **e) {
      return osslive_create_highlights(get(), detail::c_text(id), c.data(), c.size(),
                                       listener.callback(), &listener, out, e);
    });
  }

  /* Downloads a part of a channel's recording, of any length, into one MPEG
   * transport stream. After an error, a stop or a crash, the same call resumes it
   * from PATH.part and PATH.progress. progress receives the number of bytes in the
   * file, and of bytes known to be recorded.
   * JSON: startTime, endTime, fragments, bytes, resumedBytes, gaps[] of startTime,
   * endTime, durationMinutes. Codes NothingRecorded and NoSuchLiveChannel;
   * Status::file, including if the file already exists. */
  std::string download_recording(const std::string &id, const std::string &path,
                                 const Download &download = {},
                                 const Progress &progress = {}) const {
    const auto c = detail::c_download(path, download);
    detail::Listener listener(progress);
    return listener.text_of([&](char **out, osslive_error **e) {
      return osslive_download_recording(get(), detail::c_text(id), &c, listener.callback(),
                                        &listener, out, e);
    });
  }

  /* Saves a playlist of what was recorded between two times, at most a day
   * apart, as CHANNEL/NAME in the bucket (PostVodPlaylist). ".m3u8" is appended
   * if missing. JSON: res. Code InvalidArgument if nothing was recorded then. */
  std::string create_vod(const std::string &id, const std::string &name, Time start,
                         Time end) const {
    return detail::text_of([&](char **out, osslive_error **e) {
      return osslive_create_vod(get(), detail::c_text(id), detail::c_text(name),
                                detail::unix_seconds(start), detail::unix_seconds(end), out, e);
    });
  }

  /* Returns the playlist that create_vod would save (GetVodPlaylist). Code
   * InvalidArgument if nothing was recorded then. */
  std::string get_vod(const std::string &id, Time start, Time end) const {
    return detail::text_of([&](char **out, osslive_error **e) {
      return osslive_get_vod(get(), detail::c_text(id), detail::unix_seconds(start),
                             detail::unix_seconds(end), out, e);
    });
  }

  /* Signs a publish URL. Sends nothing, and the channel need not exist yet.
   * expires is how long the URL is valid: publishers must connect within this time.
   * Additional parameters are signed. Anyone who has the URL can publish: treat it as a
   * secret. */
  std::string get_rtmp_url(
      const std::string &id,
      std::chrono::seconds expires = std::chrono::seconds(OSSLIVE_DEFAULT_EXPIRES_S),
      const Params &params = {}) const {
    return publish_url(osslive_get_rtmp_url, id, expires, params);
  }

  /* Signs a publish URL and returns its parts and expiry. JSON: url, server,
   * streamKey, expiresAt. */
  std::string get_publish_url(
      const std::string &id,
      std::chrono::seconds expires = std::chrono::seconds(OSSLIVE_DEFAULT_EXPIRES_S),
      const Params &params = {}) const {
    return publish_url(osslive_get_publish_url, id, expires, params);
  }

  /* Signs a play URL for a channel of a private bucket, valid for at most a
   * week. Sends nothing. The service signs the fragments in the playlist as
   * well. */
  std::string get_play_url(const std::string &id, std::chrono::seconds expires,
                           const std::string &playlist = "playlist.m3u8") const {
    return detail::text_of([&](char **out, osslive_error **e) {
      return osslive_get_play_url(get(), detail::c_text(id), detail::c_text(playlist),
                                  detail::count(expires), out, e);
    });
  }

  /* Returns the client of the C interface, which this object still owns. */
  const osslive_client *get() const noexcept { return client_.get(); }

 private:
  explicit Client(detail::Owned<osslive_client> client) : client_(std::move(client)) {}

  template <typename Function>
  std::string call(Function function, const std::string &id) const {
    return detail::text_of([&](char **out, osslive_error **e) {
      return function(get(), detail::c_text(id), out, e);
    });
  }

  template <typename Function>
  std::string publish_url(Function function, const std::string &id, std::chrono::seconds expires,
                          const Params &params) const {
    std::vector<osslive_param> c;
    for (const auto &param : params)
      c.push_back({detail::c_text(param.first), detail::c_text(param.second)});
    return detail::text_of([&](char **out, osslive_error **e) {
      return function(get(), detail::c_text(id), detail::count(expires), c.data(), c.size(), out,
                      e);
    });
  }

  template <typename Function>
  std::string put(Function function, const std::string &id, const ChannelConfig &config) const {
    const auto channel = detail::make(config);
    return detail::text_of([&](char **out, osslive_error **e) {
      return function(get(), detail::c_text(id), channel.get(), out, e);
    });
  }

  detail::Owned<osslive_client> client_;
};

/* Polls channels and reports changes. Movable, not copyable; one thread at a
 * time, except for stop. It may outlive its client. Destroying it
 * stops it. */
class ChannelMonitor {
 public:
  /* Creates a monitor. Sends nothing. */
  ChannelMonitor(const Client &client, const std::vector<std::string> &ids,
                 const MonitorOptions &options = {})
      : monitor_(detail::made<osslive_channel_monitor>(
            [&](osslive_channel_monitor **out, osslive_error **e) {
              const auto c_ids = detail::c_texts(ids);
              return osslive_channel_monitor_new(client.get(), c_ids.data(), c_ids.size(),
                                                 detail::make(options).get(), out, e);
            })) {}

  /* Waits until the next sweep is due, sweeps, and returns the changes, if any;
   * std::nullopt once stopped. The first sweep is due at once and reports every
   * channel that is not idle.
   * JSON: changes[] of id, time, change (and its details): "wentLive" of
   * remoteAddr?, "wentIdle", "disabled", "enabled", "newPublisher" of from, to,
   * "bandwidthLow" of bandwidth, limit (bytes per second), "bandwidthRecovered"
   * of bandwidth, limit, "frameRateFell" of from, to, "failing" of error,
   * "recovered", "gone", "created". */
  std::optional<std::string> next_changes() {
    try {
      return detail::text_of([&](char **out, osslive_error **e) {
        return osslive_channel_monitor_next_changes(monitor_.get(), out, e);
      });
    } catch (const Error &error) {
      if (error.status() == Status::stopped) return std::nullopt;
      throw;
    }
  }

  /* Returns the latest sweep. Before the first one, its lists are empty.
   * JSON: as monitor_channels. */
  std::string last_sweep() const {
    return detail::text_of([&](char **out, osslive_error **e) {
      return osslive_channel_monitor_last_sweep(monitor_.get(), out, e);
    });
  }

  /* Stops the monitor from any thread: next_changes returns at once, whatever
   * it is waiting for. Do not move or destroy the monitor until it has
   * returned. */
  void stop() const {
    detail::check([&](osslive_error **e) {
      return osslive_channel_monitor_stop(monitor_.get(), e);
    });
  }

 private:
  detail::Owned<osslive_channel_monitor> monitor_;
};

/* The level of a log message. */
enum class LogLevel {
  error = OSSLIVE_LOG_ERROR, /* a call failed */
  warn = OSSLIVE_LOG_WARN,   /* a request failed and will be retried */
  info = OSSLIVE_LOG_INFO,
  debug = OSSLIVE_LOG_DEBUG /* every request */
};

/* A log callback: a level, and a line that never contains secrets. */
using LogCallback = std::function<void(LogLevel, const std::string &)>;

namespace detail {

/* The log callback of the process. Never destroyed, because threads may log
 * while the process exits, after the destructors of statics have run. */
class Log {
 public:
  static Log &of_process() {
    static Log &log = *new Log;
    return log;
  }

  void replace(LogCallback callback, LogLevel max_level) {
    /* Before taking the lock: its owner may be waiting for this very thread. */
    if (is_inside_)
      throw Error(Status::invalid_argument, "the log callback cannot be replaced while it runs");
    auto next = callback ? std::make_unique<LogCallback>(std::move(callback)) : nullptr;
    const std::lock_guard<std::mutex> lock(mutex_);
    check([&](osslive_error **e) {
      return osslive_set_log_callback(next ? &on_message : nullptr, next.get(),
                                      static_cast<int>(max_level), e);
    });
    current_ = std::move(next);
  }

 private:
  Log() = default;

  static void on_message(int level, const char *message, void *user_data) {
    is_inside_ = true;
    try {
      (*static_cast<LogCallback *>(user_data))(static_cast<LogLevel>(level), message);
    } catch (...) {
    }
    is_inside_ = false;
  }

  static inline thread_local bool is_inside_ = false;

  std::mutex mutex_; /* frees replaced callbacks in order */
  std::unique_ptr<LogCallback> current_;
};

}  // namespace detail

/* Sets the log callback for all clients in the process; {} disables logging. It
 * runs on the threads that make calls, until the process ends: anything it
 * captures must outlive them, or logging must be disabled first. Its exceptions are
 * discarded. Once this returns, the previous callback is no longer running.
 * Throws Error with Status::invalid_argument inside the callback. */
inline void set_log_callback(LogCallback callback, LogLevel max_level = LogLevel::debug) {
  detail::Log::of_process().replace(std::move(callback), max_level);
}

/* Returns the version of the loaded library. */
inline std::string version() { return osslive_version(); }

}  // namespace osslive

#endif  /* OSSLIVE_HPP */
