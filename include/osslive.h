/*
 * osslive: RTMP live channels on Alibaba Cloud OSS.
 *
 * This header is generated; it is also the manual. C++ programs may prefer
 * osslive.hpp.
 *
 *     osslive_config *config = osslive_config_new();
 *     osslive_client *client = NULL;
 *     osslive_error *error = NULL;
 *     char *url = NULL;
 *
 *     osslive_config_set_region(config, "cn-hangzhou", NULL);
 *     osslive_config_set_bucket(config, "my-bucket", NULL);
 *     osslive_config_load_env(config, NULL);
 *     if (osslive_client_new(config, &client, &error) ||
 *         osslive_get_rtmp_url(client, "main-stage", OSSLIVE_DEFAULT_EXPIRES_S, NULL, 0, &url,
 *                              &error))
 *         fprintf(stderr, "%s\n", osslive_error_message(error));
 *     else
 *         puts(url);
 *
 *     osslive_string_free(url);
 *     osslive_error_free(error);
 *     osslive_client_free(client);
 *     osslive_config_free(config);
 *
 * CONVENTIONS
 *
 *  1. Names. A function whose name begins with a type (client, config,
 *     channel_config, channel_monitor, sweep_options, error, string) manages
 *     objects of that type. Every other function is a call to the service, or
 *     makes a URL for it.
 *
 *  2. Success and failure. A function that can fail returns an
 *     osslive_status, which is 0 (OSSLIVE_OK) exactly when it succeeded, and
 *     takes as its last argument an osslive_error **out_error, which may be
 *     NULL. On failure it becomes an object with the details, which is yours
 *     to free; on success it becomes NULL. Match on osslive_error_code for
 *     the reason; read osslive_error_message for people.
 *
 *  3. Outputs. A parameter named out_... is where a result is put. Whatever
 *     it held before, it is NULL (or 0) after a failure, never half a result:
 *     free it without asking. But free what it holds before you use it again.
 *
 *  4. Ownership. What a function gives you through a pointer to a pointer, or
 *     returns from ..._new, is yours: free objects with the ..._free of their
 *     type and strings with osslive_string_free, never with free(). Every
 *     ..._free takes NULL. A const char * that a function returns belongs to
 *     the object that it was asked of. No function takes over what you pass.
 *
 *  5. Texts. Strings are UTF-8 and end with a NUL; those you pass are copied
 *     during the call. An argument that is NULL where the manual does not
 *     allow it, or not UTF-8, is the error OSSLIVE_ERR_INVALID_ARGUMENT whose
 *     message names the parameter.
 *
 *  6. Results. A call's result is one JSON object; its keys are given with
 *     each function. "?" marks a key that may be absent, "[]" an array, which
 *     is always there. Times are RFC 3339 ("2026-11-22T12:00:00Z"). How a call
 *     went: res is an object of status (HTTP), requestId?, elapsedMs, attempts.
 *     Why one of many things failed: error is an object of kind
 *     ("invalidArgument", "connection", "timeout", "service", "badReply",
 *     "stopped" ..., as the statuses), message, attempts, text (all of it in
 *     one line), code?, status?, requestId?, ec?, hostId?, endpoint? (where the
 *     service names the right one). Each result has a JSON Schema in
 *     share/osslive/schema, where functions.json names that of each function;
 *     osslive_json.hpp has the same as C++ types. URLs and
 *     playlists are plain text.
 *
 *  7. Threads. Any number of threads may use a client at once. All other
 *     objects are for one thread at a time. All functions may be called from
 *     any thread.
 *
 *  8. Time. Calls to the service block: by default for 30 seconds at most,
 *     with up to 3 attempts, of which 10 seconds at most for a connection. Work
 *     on many things may take as long for each. Do not call them from a thread
 *     that renders or handles audio. Functions that send nothing return at
 *     once.
 *
 *  9. Faults. A fault inside the library becomes OSSLIVE_ERR_INTERNAL; it does
 *     not end the process. The library neither handles, ignores nor blocks a
 *     signal, does not die of SIGPIPE, and goes on after one that interrupts
 *     it. It starts threads to connect, to look up a host name in time, and to
 *     work on many channels at once. Its functions need a stack of 128 KiB;
 *     what your callbacks need comes on top.
 *
 * 10. Forks. After fork(), a client may be used on both sides if no other
 *     thread was calling at that moment: a connection stays with the process
 *     that made it. Otherwise the child makes clients of its own, as the old
 *     ones may wait for threads that it does not have. Everything else works
 *     in the child, whatever other threads were doing: new clients, and the
 *     log callback, which may have been running or being replaced.
 *
 * 11. Stability. Statuses keep their numbers and functions their meaning as
 *     long as osslive_abi_version() stays. The library is not unloaded by
 *     dlclose() on Linux.
 */

#ifndef OSSLIVE_H
#define OSSLIVE_H

#include <stddef.h>
#include <stdint.h>

/**
 * The version of this header.
 */
#define OSSLIVE_VERSION "0.1.0"
#define OSSLIVE_VERSION_MAJOR 0
#define OSSLIVE_VERSION_MINOR 1
#define OSSLIVE_VERSION_PATCH 0

/**
 * Whether this header has at least a version, for #if.
 */
#define OSSLIVE_VERSION_AT_LEAST(major, minor, patch) \
  (OSSLIVE_VERSION_MAJOR > (major) || \
   (OSSLIVE_VERSION_MAJOR == (major) && \
    (OSSLIVE_VERSION_MINOR > (minor) || \
     (OSSLIVE_VERSION_MINOR == (minor) && OSSLIVE_VERSION_PATCH >= (patch)))))

/**
 * The number of the binary interface that this header describes.
 */
#define OSSLIVE_ABI_VERSION 1

/**
 * A request failed, and its call with it.
 */
#define OSSLIVE_LOG_ERROR 1

/**
 * A request failed and will be sent again.
 */
#define OSSLIVE_LOG_WARN 2

/**
 * What an operator wants to know. Nothing today.
 */
#define OSSLIVE_LOG_INFO 3

/**
 * Every request, with its HTTP status, request id and time.
 */
#define OSSLIVE_LOG_DEBUG 4

/**
 * For how many seconds a URL is usually good.
 */
#define OSSLIVE_DEFAULT_EXPIRES_S 1800

/**
 * What a call returns: the class of its outcome. A status keeps its number
 * for ever; treat one that you do not know as an error.
 */
typedef enum {
  /**
   * The call succeeded.
   */
  OSSLIVE_OK = 0,
  /**
   * An argument was refused before anything was sent.
   */
  OSSLIVE_ERR_INVALID_ARGUMENT = 1,
  /**
   * The configuration is incomplete or contradictory.
   */
  OSSLIVE_ERR_CONFIG = 2,
  /**
   * No usable credentials were found.
   */
  OSSLIVE_ERR_CREDENTIALS = 3,
  /**
   * The service was not reached, or the connection broke: name look-up,
   * TCP, TLS or proxy.
   */
  OSSLIVE_ERR_CONNECTION = 4,
  /**
   * The limit for the whole call or for making a connection passed.
   */
  OSSLIVE_ERR_TIMEOUT = 5,
  /**
   * The service answered with an error; osslive_error_code says which.
   */
  OSSLIVE_ERR_SERVICE = 6,
  /**
   * The service answered with something that is not understood, or with
   * more than is willingly read.
   */
  OSSLIVE_ERR_BAD_REPLY = 7,
  /**
   * The library has a fault. Please report it with the message.
   */
  OSSLIVE_ERR_INTERNAL = 8,
  /**
   * The caller stopped the client or this piece of work before it was done.
   */
  OSSLIVE_ERR_STOPPED = 9,
} osslive_status;

/**
 * The configuration of a channel, for osslive_put_channel and
 * osslive_create_channel. Yours to free with osslive_channel_config_free;
 * one thread at a time. Ranges are checked when it is used.
 */
typedef struct osslive_channel_config osslive_channel_config;

/**
 * A monitor, which looks at channels again and again and tells what changed:
 * yours to free with osslive_channel_monitor_free. One thread at a time, but
 * for osslive_channel_monitor_stop.
 */
typedef struct osslive_channel_monitor osslive_channel_monitor;

/**
 * A client for the live channels of one bucket: yours to free with
 * osslive_client_free. Any number of threads may use it at once; it keeps
 * its connections open between calls.
 */
typedef struct osslive_client osslive_client;

/**
 * The configuration of a client: a bucket, credentials, and a region or an
 * endpoint are needed, everything else has a default. Yours to free with
 * osslive_config_free; one thread at a time.
 */
typedef struct osslive_config osslive_config;

/**
 * What is known about a failure: yours to free with osslive_error_free. The
 * texts that its functions return belong to it and end with it.
 */
typedef struct osslive_error osslive_error;

/**
 * How to work on many channels: for osslive_monitor_channels,
 * osslive_put_channels and osslive_channel_monitor_new, which take NULL for
 * the defaults. Yours to free with osslive_sweep_options_free; one thread at
 * a time.
 */
typedef struct osslive_sweep_options osslive_sweep_options;

/**
 * What receives the log: a level (OSSLIVE_LOG_...), one line of text that
 * ends with the call, and the pointer that was set with it.
 *
 * It runs on the thread of the call that has something to say, so on several
 * threads at once where several call. It must return normally: no longjmp,
 * no C++ exception. It may call functions of this library; what they would
 * log is dropped.
 */
typedef void (*osslive_log_callback)(int level, const char *message, void *user_data);

/**
 * A parameter of a publish URL: two texts, neither NULL.
 */
typedef struct {
  /**
   * The name, which may stand once.
   */
  const char *name;
  /**
   * The value.
   */
  const char *value;
} osslive_param;

/**
 * What hears how far long work has come: how many are done, failures
 * included, how many there are, and the pointer that came with it. It returns
 * 0 to go on. Anything else stops the work; the callback is then not called
 * again.
 *
 * It runs on the thread that made the call, before that returns. It must
 * return normally: no longjmp, no C++ exception. It may call functions of
 * this library.
 */
typedef int (*osslive_progress_callback)(size_t done, size_t total, void *user_data);

/**
 * A part of what a channel recorded. Set what you need and leave all else 0:
 * {.name = "opening", .to_ms = 300000} is the first five minutes of the
 * latest session, and {.name = "closing", .from_ms = -300000} the last five.
 */
typedef struct {
  /**
   * The name of its playlist; ".m3u8" is added where it is missing.
   */
  const char *name;
  /**
   * From where in the session, in milliseconds: after its start, or, when
   * negative, before its end. The end of a session that is going on is now.
   */
  int64_t from_ms;
  /**
   * To where in the session, likewise; 0 is its end.
   */
  int64_t to_ms;
  /**
   * A moment of the session that is meant, in Unix seconds; 0 takes the
   * latest.
   */
  int64_t session_time;
  /**
   * In place of a part of a session: from when, in Unix seconds, whatever
   * sessions there were.
   */
  int64_t start_time;
  /**
   * Until when, in Unix seconds. Where it or start_time is not 0, the three
   * above have to be.
   */
  int64_t end_time;
} osslive_highlight;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The version of the library that is loaded, such as "0.1.0"; compare
 * OSSLIVE_VERSION, the version of the header. It belongs to the library.
 */
const char *osslive_version(void);

/**
 * The number of the binary interface of the library that is loaded. A
 * program that loads the library by name compares it with
 * OSSLIVE_ABI_VERSION; the number changes only when programs built before
 * would no longer work.
 */
uint32_t osslive_abi_version(void);

/**
 * The class of a failure: what the call returned. OSSLIVE_OK for NULL.
 */
osslive_status osslive_error_status(const osslive_error *error);

/**
 * What was wrong, in one line for a log or a person, with the code, the HTTP
 * status and the request id where they are known. Never NULL; "" for NULL.
 */
const char *osslive_error_message(const osslive_error *error);

/**
 * The reason by name, such as "NoSuchLiveChannel", "ChannelStillLive" or
 * "AccessDenied": the service's error code, or the library's own for what it
 * checks itself ("InvalidChannelName", "ChannelAlreadyExists"). NULL when
 * the failure has none.
 */
const char *osslive_error_code(const osslive_error *error);

/**
 * The HTTP status of the reply; 0 when there was none.
 */
int osslive_error_http_status(const osslive_error *error);

/**
 * The identifier by which the service's support finds the request. NULL when
 * no reply named one.
 */
const char *osslive_error_request_id(const osslive_error *error);

/**
 * The service's detailed error code (EC), such as "0044-00000308". NULL when
 * no reply named one.
 */
const char *osslive_error_ec(const osslive_error *error);

/**
 * Frees an error and the texts that belong to it. NULL is fine.
 */
void osslive_error_free(osslive_error *error);

/**
 * Frees a string that a call gave to you through a `char **`, and wipes it
 * first, as a URL may be a secret. NULL is fine. Strings from elsewhere, and
 * the `const char *` that functions return, must not be passed.
 */
void osslive_string_free(char *string);

/**
 * Sets what receives the log of all clients in the process; NULL turns it
 * off, as it is at first. Messages never hold secrets or signed URLs.
 *
 * - max_level: the most that you want to hear, OSSLIVE_LOG_ERROR (1) to
 *   OSSLIVE_LOG_DEBUG (4).
 * - user_data: passed to the callback as it is.
 *
 * When this returns, the callback that was set before does not run on any
 * thread and will not run again: what its user_data points to may be freed.
 * Setting the same callback and user_data again changes only the level, and
 * waits for nothing. No lock is held while the callback runs, and a child
 * process forked meanwhile may set its own.
 *
 * Fails with OSSLIVE_ERR_INVALID_ARGUMENT for a level out of range, and
 * inside the callback itself.
 */
osslive_status osslive_set_log_callback(osslive_log_callback callback,
                                        void *user_data,
                                        int max_level,
                                        osslive_error **out_error);

/**
 * Makes an empty configuration. Never NULL.
 */
osslive_config *osslive_config_new(void);

/**
 * Frees a configuration. NULL is fine; clients made from it live on.
 */
void osslive_config_free(osslive_config *config);

/**
 * Sets the region, such as "cn-hangzhou". Defaults to the one that the
 * endpoint's host names.
 */
osslive_status osslive_config_set_region(osslive_config *config,
                                         const char *region,
                                         osslive_error **out_error);

/**
 * Sets the endpoint: a host, with a port and a scheme if you like, such as
 * "http://127.0.0.1:9000". A scheme overrides osslive_config_set_secure.
 * Defaults to the public endpoint of the region.
 */
osslive_status osslive_config_set_endpoint(osslive_config *config,
                                           const char *endpoint,
                                           osslive_error **out_error);

/**
 * Sets the bucket.
 */
osslive_status osslive_config_set_bucket(osslive_config *config,
                                         const char *bucket,
                                         osslive_error **out_error);

/**
 * Sets the access key; for a temporary one with its STS token, else NULL.
 *
 * Fails with OSSLIVE_ERR_CREDENTIALS when a part is empty or has characters
 * that no key has.
 */
osslive_status osslive_config_set_credentials(osslive_config *config,
                                              const char *access_key_id,
                                              const char *access_key_secret,
                                              const char *security_token,
                                              osslive_error **out_error);

/**
 * Adds what the environment has now: the access key of OSS_ACCESS_KEY_ID,
 * OSS_ACCESS_KEY_SECRET and, if it is set, OSS_SESSION_TOKEN; and region,
 * endpoint and bucket of OSS_REGION, OSS_ENDPOINT and OSS_BUCKET.
 *
 * Each setting is taken by itself from the first that has it: what is set by
 * osslive_config_set_ functions, then what is loaded, in the order in which it
 * is. Settings that contradict each other make osslive_client_new fail with
 * OSSLIVE_ERR_CONFIG.
 *
 * osslive_client_new fails with OSSLIVE_ERR_CREDENTIALS, naming the variable
 * that is missing, if no other source has an access key.
 */
osslive_status osslive_config_load_env(osslive_config *config, osslive_error **out_error);

/**
 * Adds what a profile of ossutil's config file has now: access key, region and
 * endpoint, by the rule of osslive_config_load_env.
 *
 * - path: the file, or NULL for the one that OSSUTIL_CONFIG_FILE names, else
 *   .ossutilconfig in the home folder.
 * - profile: its name, or NULL for the one that OSSUTIL_PROFILE names, else
 *   the default profile.
 *
 * Fails with OSSLIVE_ERR_CREDENTIALS when there is no such file or profile,
 * or when it gets its keys in another way than AK or StsToken.
 */
osslive_status osslive_config_load_profile(osslive_config *config,
                                           const char *path,
                                           const char *profile,
                                           osslive_error **out_error);

/**
 * Sets whether the region's internal endpoint is used, from inside its
 * network. Defaults to 0.
 */
osslive_status osslive_config_set_internal(osslive_config *config,
                                           int internal,
                                           osslive_error **out_error);

/**
 * Sets whether requests go over TLS, where the endpoint has no scheme.
 * Defaults to 1.
 */
osslive_status osslive_config_set_secure(osslive_config *config,
                                         int secure,
                                         osslive_error **out_error);

/**
 * Sets how the bucket stands in URLs: "virtual" (https://BUCKET.ENDPOINT/),
 * "path" (https://ENDPOINT/BUCKET/) or "cname" (https://ENDPOINT/, a host
 * name bound to the bucket). Defaults to "path" for IP addresses and
 * localhost, and to "virtual" for all others.
 */
osslive_status osslive_config_set_addressing_style(osslive_config *config,
                                                   const char *style,
                                                   osslive_error **out_error);

/**
 * Sets the signature version: 4, or 1 for gateways that know no other.
 * Defaults to 4.
 */
osslive_status osslive_config_set_signature_version(osslive_config *config,
                                                    uint32_t version,
                                                    osslive_error **out_error);

/**
 * Sets the limit for making a connection in milliseconds. Defaults to
 * 10,000.
 */
osslive_status osslive_config_set_connect_timeout_ms(osslive_config *config,
                                                     uint32_t timeout_ms,
                                                     osslive_error **out_error);

/**
 * Sets the limit for a whole call in milliseconds, repeats and waiting
 * included. Defaults to 30,000.
 */
osslive_status osslive_config_set_timeout_ms(osslive_config *config,
                                             uint32_t timeout_ms,
                                             osslive_error **out_error);

/**
 * Sets how often a request is sent at most, while failures may pass.
 * Defaults to 3.
 */
osslive_status osslive_config_set_attempts(osslive_config *config,
                                           uint32_t attempts,
                                           osslive_error **out_error);

/**
 * Sets how many idle connections are kept. Defaults to 16; as many as there
 * are threads that call is a good number.
 */
osslive_status osslive_config_set_pool_size(osslive_config *config,
                                            uint32_t connections,
                                            osslive_error **out_error);

/**
 * Sets the proxy by its URL, such as "http://USER:PASSWORD@HOST:PORT"
 * (http, https, socks4, socks4a, socks5, socks5h); NULL disables the proxy,
 * whatever the environment says. Defaults to what the environment says, as
 * for curl: https_proxy or HTTPS_PROXY, http_proxy in lower case, all_proxy or
 * ALL_PROXY, and none for the hosts of no_proxy or NO_PROXY. An endpoint on
 * this machine is then always reached directly.
 */
osslive_status osslive_config_set_proxy(osslive_config *config,
                                        const char *url,
                                        osslive_error **out_error);

/**
 * Trusts the certificates of a PEM text and no others, as a private gateway
 * needs. Defaults to those of SSL_CERT_FILE and SSL_CERT_DIR, where the
 * environment names one, else to Mozilla's roots.
 */
osslive_status osslive_config_set_root_certificates(osslive_config *config,
                                                    const char *pem,
                                                    osslive_error **out_error);

/**
 * Adds to the user agent, after the library's own part, such as
 * "MyEncoder/2.1". Defaults to nothing.
 */
osslive_status osslive_config_set_user_agent(osslive_config *config,
                                             const char *user_agent,
                                             osslive_error **out_error);

/**
 * Sets whether an STS token is part of what osslive_get_rtmp_url signs, or
 * is only appended to the URL. Defaults to 1. Which of the two the service
 * wants is not documented: try 0 if publishers with a token are refused.
 */
osslive_status osslive_config_set_sign_security_token(osslive_config *config,
                                                      int sign,
                                                      osslive_error **out_error);

/**
 * Makes a client. Nothing is sent. The configuration is copied and stays
 * yours.
 *
 * Fails with OSSLIVE_ERR_CONFIG or OSSLIVE_ERR_CREDENTIALS, naming what is
 * missing or wrong.
 */
osslive_status osslive_client_new(const osslive_config *config,
                                  osslive_client **out_client,
                                  osslive_error **out_error);

/**
 * Frees a client. NULL is fine. No call on it may be under way.
 */
void osslive_client_free(osslive_client *client);

/**
 * Makes a second client with another limit for whole calls, in milliseconds.
 * Both share connections and credentials; each is freed on its own.
 */
osslive_status osslive_client_with_timeout_ms(const osslive_client *client,
                                              uint32_t timeout_ms,
                                              osslive_client **out_client,
                                              osslive_error **out_error);

/**
 * Tells a client, and those made from it with osslive_client_with_timeout_ms,
 * to stop, so that a host can quit. Calls under way on other threads end at
 * once with OSSLIVE_ERR_STOPPED, whatever they wait for, and so do all later
 * ones; functions that send nothing go on working. The service may or may not
 * have carried out what was under way. Free the clients as ever, once no call
 * uses them.
 */
osslive_status osslive_client_shutdown(const osslive_client *client, osslive_error **out_error);

/**
 * Replaces the access key of a client and of those made from it with
 * osslive_client_with_timeout_ms, while other threads use them: calls that
 * are under way end with the key they began with. security_token may be
 * NULL.
 *
 * Fails with OSSLIVE_ERR_CREDENTIALS when a part is empty or has characters
 * that no key has; the client then keeps the key it has.
 */
osslive_status osslive_client_set_credentials(const osslive_client *client,
                                              const char *access_key_id,
                                              const char *access_key_secret,
                                              const char *security_token,
                                              osslive_error **out_error);

/**
 * Makes a configuration with defaults and a display name, which may be
 * empty. The service keeps no display name: it becomes the description,
 * unless one is set.
 */
osslive_status osslive_channel_config_new(const char *name,
                                          osslive_channel_config **out_channel_config,
                                          osslive_error **out_error);

/**
 * Frees a channel's configuration. NULL is fine.
 */
void osslive_channel_config_free(osslive_channel_config *channel_config);

/**
 * Sets the description: at most 128 bytes. Defaults to the name.
 */
osslive_status osslive_channel_config_set_description(osslive_channel_config *channel_config,
                                                      const char *description,
                                                      osslive_error **out_error);

/**
 * Sets whether publishers are let in: "enabled" or "disabled". Defaults to
 * "enabled".
 */
osslive_status osslive_channel_config_set_status(osslive_channel_config *channel_config,
                                                 const char *status,
                                                 osslive_error **out_error);

/**
 * Sets the length of a fragment in seconds, 1 to 100. A fragment ends at the
 * first key frame after it. Defaults to 5.
 */
osslive_status osslive_channel_config_set_frag_duration(osslive_channel_config *channel_config,
                                                        uint32_t frag_duration_s,
                                                        osslive_error **out_error);

/**
 * Sets how many fragments the live playlist lists, 1 to 100. Defaults to 3.
 */
osslive_status osslive_channel_config_set_frag_count(osslive_channel_config *channel_config,
                                                     uint32_t frag_count,
                                                     osslive_error **out_error);

/**
 * Sets the name of the live playlist: 6 to 128 bytes, ending in ".m3u8",
 * without "/". Defaults to "playlist.m3u8".
 */
osslive_status osslive_channel_config_set_playlist_name(osslive_channel_config *channel_config,
                                                        const char *playlist_name,
                                                        osslive_error **out_error);

/**
 * Asks for snapshots of the key frames, in regions that have them: every
 * interval_s seconds (1 to 100) into dest_bucket, written with the rights of
 * the RAM role role_name and announced at the message topic notify_topic.
 * Defaults to none.
 */
osslive_status osslive_channel_config_set_snapshot(osslive_channel_config *channel_config,
                                                   const char *role_name,
                                                   const char *dest_bucket,
                                                   const char *notify_topic,
                                                   uint32_t interval_s,
                                                   osslive_error **out_error);

/**
 * Creates a channel, or replaces its configuration (PutLiveChannel).
 *
 * JSON: publishUrls[], playUrls[] (both unsigned), res.
 *
 * Fails with the code ChannelStillLive while the channel is live.
 */
osslive_status osslive_put_channel(const osslive_client *client,
                                   const char *id,
                                   const osslive_channel_config *channel_config,
                                   char **out_json,
                                   osslive_error **out_error);

/**
 * Creates a channel that does not exist yet (GetLiveChannelInfo, then
 * PutLiveChannel). When two callers create the same channel at the same
 * moment, both may succeed.
 *
 * JSON: publishUrls[], playUrls[] (both unsigned), res.
 *
 * Fails with the code ChannelAlreadyExists.
 */
osslive_status osslive_create_channel(const osslive_client *client,
                                      const char *id,
                                      const osslive_channel_config *channel_config,
                                      char **out_json,
                                      osslive_error **out_error);

/**
 * Reads the configuration of a channel (GetLiveChannelInfo; its URLs and the
 * time of its last change come from ListLiveChannel, where the credentials
 * may list).
 *
 * JSON: name (the id), description, status ("enabled" or "disabled"), type
 * ("HLS"), fragDuration (seconds), fragCount, playlistName, createTime?
 * (reserved: the service does not say it today), lastModified?,
 * publishUrls[], playUrls[], res.
 *
 * Fails with the code NoSuchLiveChannel.
 */
osslive_status osslive_get_channel(const osslive_client *client,
                                   const char *id,
                                   char **out_json,
                                   osslive_error **out_error);

/**
 * Deletes a channel; what it recorded stays (DeleteLiveChannel). A channel
 * that does not exist is no error.
 *
 * JSON: res.
 *
 * Fails with the code ChannelStillLive while the channel is live.
 */
osslive_status osslive_delete_channel(const osslive_client *client,
                                      const char *id,
                                      char **out_json,
                                      osslive_error **out_error);

/**
 * Lists channels, a page at a time, in byte order (ListLiveChannel).
 *
 * - prefix: only names that begin so, or NULL.
 * - marker: only names after this one, or NULL: nextMarker of the page
 *   before.
 * - max_keys: at most so many, 1 to 1000, or 0 for the service's 100.
 *
 * JSON: channels[] of name, description, status, lastModified?,
 * publishUrls[], playUrls[]; isTruncated; nextMarker? (when isTruncated);
 * res.
 */
osslive_status osslive_list_channels(const osslive_client *client,
                                     const char *prefix,
                                     const char *marker,
                                     uint32_t max_keys,
                                     char **out_json,
                                     osslive_error **out_error);

/**
 * Enables or disables a channel (PutLiveChannelStatus). Disabling cuts a
 * publisher; the service takes about ten seconds for it.
 *
 * - status: "enabled" or "disabled".
 *
 * JSON: res.
 *
 * Fails with the code NoSuchLiveChannel.
 */
osslive_status osslive_put_channel_status(const osslive_client *client,
                                          const char *id,
                                          const char *status,
                                          char **out_json,
                                          osslive_error **out_error);

/**
 * Reads what a channel is doing (GetLiveChannelStat).
 *
 * JSON: status ("Live", "Idle" or "Disabled"), connectedTime?, remoteAddr?
 * ("IP:PORT"), video? of width, height, frameRate, bandwidth, codec, audio? of
 * bandwidth, sampleRate, codec; res. What may be absent is there only when
 * the channel is live. Bandwidths are bytes per second.
 *
 * Fails with the code NoSuchLiveChannel.
 */
osslive_status osslive_get_channel_status(const osslive_client *client,
                                          const char *id,
                                          char **out_json,
                                          osslive_error **out_error);

/**
 * Asks whether somebody publishes to a channel now (GetLiveChannelStat), for
 * programs without a JSON parser. out_live becomes 1 or 0.
 *
 * Fails with the code NoSuchLiveChannel; out_live is then 0.
 */
osslive_status osslive_is_channel_live(const osslive_client *client,
                                       const char *id,
                                       int *out_live,
                                       osslive_error **out_error);

/**
 * Reads the last ten finished sessions of a channel, the oldest first
 * (GetLiveChannelHistory).
 *
 * JSON: records[] of startTime, endTime, remoteAddr ("IP:PORT"); res.
 *
 * Fails with the code NoSuchLiveChannel.
 */
osslive_status osslive_get_channel_history(const osslive_client *client,
                                           const char *id,
                                           char **out_json,
                                           osslive_error **out_error);

/**
 * Summarises the sessions of the last days, 1 or more
 * (GetLiveChannelHistory). The service keeps only the last ten finished
 * sessions of a channel: isTruncated tells whether there may have been more,
 * and all numbers are then of those that are left.
 *
 * JSON: startTime, endTime (of the time that was analysed); sessionCount;
 * totalDurationHours; averageDurationMinutes (0 without a session);
 * uniqueIps[] (without ports); gaps[] (between sessions) of startTime,
 * endTime, durationMinutes; sessions[] and longestSession? of startTime,
 * endTime, durationMinutes, remoteAddr ("IP:PORT"); isTruncated. What lies
 * outside the time is cut off.
 *
 * Fails with the code NoSuchLiveChannel.
 */
osslive_status osslive_analyze_history(const osslive_client *client,
                                       const char *id,
                                       uint32_t days,
                                       char **out_json,
                                       osslive_error **out_error);

/**
 * Writes a playlist of what was recorded in a time span to CHANNEL/NAME in
 * the bucket, replacing one of that name (PostVodPlaylist).
 *
 * - name: the playlist's name; ".m3u8" is added where it is missing.
 * - start_time, end_time: Unix seconds, both included; the end comes after
 *   the start, at most a day (86,400) later.
 *
 * JSON: res.
 *
 * Fails with the code InvalidArgument when nothing was recorded in that
 * span.
 */
osslive_status osslive_create_vod(const osslive_client *client,
                                  const char *id,
                                  const char *name,
                                  int64_t start_time,
                                  int64_t end_time,
                                  char **out_json,
                                  osslive_error **out_error);

/**
 * Reads the playlist that osslive_create_vod would write
 * (GetVodPlaylist). out_playlist becomes its text; the fragments in it are
 * relative to CHANNEL/ in the bucket. Times as in osslive_create_vod.
 *
 * Fails with the code InvalidArgument when nothing was recorded in that
 * span.
 */
osslive_status osslive_get_vod(const osslive_client *client,
                               const char *id,
                               int64_t start_time,
                               int64_t end_time,
                               char **out_playlist,
                               osslive_error **out_error);

/**
 * Makes a signed URL to publish to, rtmp://... . Nothing is sent, and the
 * channel need not exist yet. The URL lets anyone who has it publish until
 * it expires: treat it as a secret.
 *
 * - expires_s: for how many seconds from now a publisher may connect
 *   (OSSLIVE_DEFAULT_EXPIRES_S); one that is connected is not cut when they
 *   have passed.
 * - params, n_params: extra parameters, which are signed; NULL and 0 for
 *   none. "playlistName" sets the live playlist of this session, in place of
 *   the channel's. Those that the signature itself uses are refused.
 */
osslive_status osslive_get_rtmp_url(const osslive_client *client,
                                    const char *id,
                                    uint32_t expires_s,
                                    const osslive_param *params,
                                    size_t n_params,
                                    char **out_url,
                                    osslive_error **out_error);

/**
 * Makes a signed URL to publish to, as osslive_get_rtmp_url does, with its
 * parts and its expiry.
 *
 * JSON: url, server, streamKey (the two parts of the URL, as encoders ask for
 * them), expiresAt.
 */
osslive_status osslive_get_publish_url(const osslive_client *client,
                                       const char *id,
                                       uint32_t expires_s,
                                       const osslive_param *params,
                                       size_t n_params,
                                       char **out_json,
                                       osslive_error **out_error);

/**
 * Makes a signed URL to play a channel of a private bucket, https://... .
 * Nothing is sent. The fragments in the playlist are signed alike.
 *
 * - playlist: the playlist's name, or NULL for "playlist.m3u8".
 * - expires_s: for how many seconds from now it is good; a week (604,800) at
 *   most with signature version 4.
 */
osslive_status osslive_get_play_url(const osslive_client *client,
                                    const char *id,
                                    const char *playlist,
                                    uint32_t expires_s,
                                    char **out_url,
                                    osslive_error **out_error);

/**
 * Makes options with their defaults. Never NULL.
 */
osslive_sweep_options *osslive_sweep_options_new(void);

/**
 * Frees options. NULL is fine; monitors made with them live on.
 */
void osslive_sweep_options_free(osslive_sweep_options *sweep_options);

/**
 * Sets how many calls are under way at once, 1 to 256. Beyond 16, let the
 * client keep as many connections (osslive_config_set_pool_size). Defaults
 * to 8.
 */
osslive_status osslive_sweep_options_set_max_parallel(osslive_sweep_options *sweep_options,
                                                      uint32_t max_parallel,
                                                      osslive_error **out_error);

/**
 * Sets how many calls begin in a second at most, repeats included; 0 stands
 * for no limit, which is the default. With or without it the work slows down
 * when the service asks for that.
 */
osslive_status osslive_sweep_options_set_rate(osslive_sweep_options *sweep_options,
                                              double calls_per_second,
                                              osslive_error **out_error);

/**
 * Sets a limit for the whole work, for a monitor for each sweep. Calls under
 * way end when it passes; channels that were not reached fail with the kind
 * "stopped". Defaults to none.
 */
osslive_status osslive_sweep_options_set_time_limit_ms(osslive_sweep_options *sweep_options,
                                                       uint32_t timeout_ms,
                                                       osslive_error **out_error);

/**
 * Sets the time from the beginning of a monitor's sweep to the next. When a
 * sweep takes longer, the next one follows at once. Defaults to 30,000.
 */
osslive_status osslive_sweep_options_set_interval_ms(osslive_sweep_options *sweep_options,
                                                     uint32_t interval_ms,
                                                     osslive_error **out_error);

/**
 * Sets how many bytes per second picture and sound must have together, else
 * a monitor reports it. A stream of which nothing was measured yet is not
 * judged. Defaults to 0, which reports none.
 */
osslive_status osslive_sweep_options_set_min_bandwidth(osslive_sweep_options *sweep_options,
                                                       uint64_t bytes_per_second,
                                                       osslive_error **out_error);

/**
 * Sets by which part the frame rate must fall between two sweeps for a
 * monitor to report it: 0 reports any fall, 1 none. Defaults to 0.1.
 */
osslive_status osslive_sweep_options_set_frame_rate_drop(osslive_sweep_options *sweep_options,
                                                         double part,
                                                         osslive_error **out_error);

/**
 * Asks many channels what they are doing, several at once
 * (GetLiveChannelStat). A channel that fails is listed with its error and
 * never spoils the rest; one that is given twice is asked and listed once.
 *
 * - ids, n_ids: the channels, up to a million.
 * - sweep_options: how to go about it, or NULL.
 * - progress, user_data: what is called after each channel, or NULL. When it
 *   stops the work, calls under way are waited for, and channels that were
 *   not reached fail with the kind "stopped".
 *
 * JSON: live[], idle[] and disabled[] of id and what
 * osslive_get_channel_status gives; failed[] of id and error; total (the
 * number in all four).
 *
 * Takes as long as it takes: osslive_sweep_options_set_time_limit_ms sets a
 * limit.
 */
osslive_status osslive_monitor_channels(const osslive_client *client,
                                        const char *const *ids,
                                        size_t n_ids,
                                        const osslive_sweep_options *sweep_options,
                                        osslive_progress_callback progress,
                                        void *user_data,
                                        char **out_json,
                                        osslive_error **out_error);

/**
 * Creates or replaces many channels, several at once (PutLiveChannel). A
 * channel that fails never keeps the rest from being put. An id that stands
 * in the list before fails.
 *
 * - ids, channel_configs, n_ids: the channels, up to a million, and the
 *   configuration of each. One configuration may stand there many times.
 * - sweep_options, progress, user_data: as in osslive_monitor_channels.
 *
 * JSON: results[] (in the order of ids) of id and either publishUrls[],
 * playUrls[], res, or error; failed and total (their numbers).
 */
osslive_status osslive_put_channels(const osslive_client *client,
                                    const char *const *ids,
                                    const osslive_channel_config *const *channel_configs,
                                    size_t n_ids,
                                    const osslive_sweep_options *sweep_options,
                                    osslive_progress_callback progress,
                                    void *user_data,
                                    char **out_json,
                                    osslive_error **out_error);

/**
 * Makes a monitor. Nothing is sent. Ids and options are copied; the client
 * may be freed before the monitor.
 *
 * - ids, n_ids: the channels, up to a million.
 * - sweep_options: interval, limits and pace, or NULL for the defaults.
 */
osslive_status osslive_channel_monitor_new(const osslive_client *client,
                                           const char *const *ids,
                                           size_t n_ids,
                                           const osslive_sweep_options *sweep_options,
                                           osslive_channel_monitor **out_monitor,
                                           osslive_error **out_error);

/**
 * Stops and frees a monitor. NULL is fine. No call on it may be under way:
 * stop it first and let osslive_channel_monitor_next_changes return.
 */
void osslive_channel_monitor_free(osslive_channel_monitor *monitor);

/**
 * Waits until the next sweep is due, sweeps, and gives what changed, which
 * may be nothing. The first sweep is due at once and tells whatever is not
 * idle. Blocks for about the interval.
 *
 * JSON: changes[] of id, time, change (and what belongs to it):
 *
 * - "wentLive": remoteAddr?
 * - "wentIdle", "disabled", "enabled"
 * - "newPublisher": from, to (each "IP:PORT")
 * - "bandwidthLow": bandwidth, limit (bytes per second)
 * - "bandwidthRecovered": bandwidth, limit (likewise)
 * - "frameRateFell": from, to (frames per second)
 * - "failing": error (reported once, until "recovered")
 * - "recovered".
 *
 * More may come: ignore what you do not know.
 *
 * Fails with OSSLIVE_ERR_STOPPED once the monitor is stopped. That a call to
 * the service fails is a change, also after osslive_client_shutdown.
 */
osslive_status osslive_channel_monitor_next_changes(osslive_channel_monitor *monitor,
                                                    char **out_json,
                                                    osslive_error **out_error);

/**
 * Returns the latest sweep as a whole. Nothing is sent; before the first sweep
 * its lists are empty.
 *
 * JSON: as osslive_monitor_channels.
 */
osslive_status osslive_channel_monitor_last_sweep(const osslive_channel_monitor *monitor,
                                                  char **out_json,
                                                  osslive_error **out_error);

/**
 * Stops a monitor from any thread: whatever
 * osslive_channel_monitor_next_changes waits for, it returns at once, and so
 * does each later one. A call under way ends on a thread of its own, within
 * the client's limit for calls.
 */
osslive_status osslive_channel_monitor_stop(const osslive_channel_monitor *monitor,
                                            osslive_error **out_error);

/**
 * Cuts highlights out of what a channel recorded, one playlist each, and
 * goes on after a failure (GetLiveChannelStat, GetLiveChannelHistory, then
 * PostVodPlaylist for each).
 *
 * They are clipped to what exists: the last ten finished sessions and the one
 * that is going on. What lies before the oldest of ten is left to the
 * service. A highlight of which nothing is left, or which is longer than a
 * day, has an error; so has one whose playlist an earlier one wrote. A
 * playlist of that name from before is replaced.
 *
 * - highlights, n_highlights: what to cut.
 * - progress, user_data: what is called after each highlight, or NULL. When
 *   it stops the work, those that were not reached fail with the kind
 *   "stopped".
 *
 * JSON: results[] (in the order of highlights) of name, playlist (for
 * osslive_get_play_url), start?, end?, error?; failed and total (their
 * numbers).
 *
 * Fails with the code NoSuchLiveChannel.
 */
osslive_status osslive_create_highlights(const osslive_client *client,
                                         const char *id,
                                         const osslive_highlight *highlights,
                                         size_t n_highlights,
                                         osslive_progress_callback progress,
                                         void *user_data,
                                         char **out_json,
                                         osslive_error **out_error);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* OSSLIVE_H */
