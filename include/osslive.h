/*
 * osslive: RTMP live channels on Alibaba Cloud OSS.
 *
 * This header doubles as the reference. It is generated: do not edit it. C++
 * programs may prefer osslive.hpp.
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
 *     objects of that type. Every other function calls the service or signs a
 *     URL.
 *
 *  2. Success and failure. A function that can fail returns an
 *     osslive_status, 0 (OSSLIVE_OK) on success. Its last argument is an
 *     osslive_error **out_error, which may be NULL. On failure it receives an
 *     object with the details, yours to free; on success it is set to NULL.
 *     Compare osslive_error_code for the reason; show osslive_error_message to
 *     users.
 *
 *  3. Outputs. Results are stored in parameters named out_... . After a
 *     failure they are NULL (or 0), never a partial result, so they are always
 *     safe to free. Their previous value is overwritten, not freed.
 *
 *  4. Ownership. Objects and strings returned by ..._new or through a pointer
 *     to a pointer are yours: free objects with the ..._free function of their
 *     type, and strings with osslive_string_free, never with free(). Every
 *     ..._free accepts NULL. A const char * returned by a function belongs to
 *     the object passed to it. No function takes ownership of its arguments.
 *
 *  5. Strings are UTF-8 and NUL-terminated. Arguments are copied during the
 *     call. If an argument is not UTF-8, or NULL where that is not allowed, the
 *     call fails with OSSLIVE_ERR_INVALID_ARGUMENT, and the message names the
 *     parameter.
 *
 *  6. Results. Each call returns one JSON object; its keys are listed with the
 *     function. "?" marks an optional key, "[]" an array, which is always
 *     present. Times are RFC 3339 ("2026-11-22T12:00:00Z"). res describes the
 *     call: an object of status (HTTP), requestId?, elapsedMs, attempts. error
 *     describes the failure of one of many items: an object of kind
 *     ("invalidArgument", "connection", "timeout", "service", "badReply",
 *     "stopped" ..., as the statuses), message, attempts, text (all of it in
 *     one line), code?, status?, requestId?, ec?, hostId?, endpoint? (if the
 *     service names the correct one). Every result has a JSON Schema in
 *     share/osslive/schema, where functions.json maps functions to schemas;
 *     osslive_json.hpp has the same as C++ types. URLs and playlists are plain
 *     text.
 *
 *  7. Threads. Any number of threads may use a client at once. All other
 *     objects are for one thread at a time. All functions may be called from
 *     any thread.
 *
 *  8. Time. Calls to the service block: by default for at most 30 seconds,
 *     with up to 3 attempts, and at most 10 seconds to connect. In batch
 *     operations, these limits apply to each item. Do not call them from a
 *     thread that renders or handles audio. Functions that send nothing return
 *     at once.
 *
 *  9. Robustness. A panic inside the library becomes OSSLIVE_ERR_INTERNAL; it
 *     does not end the process. The library does not handle, ignore or block
 *     signals, is not killed by SIGPIPE, and resumes after interruptions. It
 *     starts threads to connect, to resolve host names, and for batch
 *     operations. Its functions need 128 KiB of stack, plus what your callbacks
 *     need.
 *
 * 10. Forks. After fork(), both processes may use a client if no other thread
 *     was making a call at that moment: connections stay with the process that
 *     opened them. Otherwise the child must create its own clients, because the
 *     old ones may wait for threads that do not exist in the child. Everything
 *     else works in the child whatever other threads were doing: new clients,
 *     and the log callback, even if it was running or being replaced.
 *
 * 11. Stability. Status values and the meaning of functions do not change
 *     while osslive_abi_version() stays the same. On Linux, dlclose() does not
 *     unload the library.
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
 * True if this header has at least this version, for #if.
 */
#define OSSLIVE_VERSION_AT_LEAST(major, minor, patch) \
  (OSSLIVE_VERSION_MAJOR > (major) || \
   (OSSLIVE_VERSION_MAJOR == (major) && \
    (OSSLIVE_VERSION_MINOR > (minor) || \
     (OSSLIVE_VERSION_MINOR == (minor) && OSSLIVE_VERSION_PATCH >= (patch)))))

/**
 * The ABI version of this header.
 */
#define OSSLIVE_ABI_VERSION 1

/**
 * A call failed.
 */
#define OSSLIVE_LOG_ERROR 1

/**
 * A request failed and will be retried.
 */
#define OSSLIVE_LOG_WARN 2

/**
 * Information for operators. Currently unused.
 */
#define OSSLIVE_LOG_INFO 3

/**
 * Every request, with its HTTP status, request id and elapsed time.
 */
#define OSSLIVE_LOG_DEBUG 4

/**
 * The default URL lifetime in seconds.
 */
#define OSSLIVE_DEFAULT_EXPIRES_S 1800

/**
 * The category of the outcome of a call. Values never change; treat unknown
 * ones as errors.
 */
typedef enum {
  /**
   * The call succeeded.
   */
  OSSLIVE_OK = 0,
  /**
   * An argument is invalid. Nothing was sent.
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
   * The service is unreachable, or the connection was lost: name
   * resolution, TCP, TLS or proxy.
   */
  OSSLIVE_ERR_CONNECTION = 4,
  /**
   * The call or the connection timed out.
   */
  OSSLIVE_ERR_TIMEOUT = 5,
  /**
   * The service returned an error; see osslive_error_code.
   */
  OSSLIVE_ERR_SERVICE = 6,
  /**
   * The response is invalid, or larger than the size limit.
   */
  OSSLIVE_ERR_BAD_REPLY = 7,
  /**
   * A bug in the library. Please report it with the message.
   */
  OSSLIVE_ERR_INTERNAL = 8,
  /**
   * The caller stopped the client or the operation.
   */
  OSSLIVE_ERR_STOPPED = 9,
  /**
   * A local file could not be read or written.
   */
  OSSLIVE_ERR_FILE = 10,
} osslive_status;

/**
 * The configuration of a channel, for osslive_put_channel and
 * osslive_create_channel. Yours to free with osslive_channel_config_free; one
 * thread at a time. Ranges are checked on use.
 */
typedef struct osslive_channel_config osslive_channel_config;

/**
 * A monitor, which polls channels and reports changes: yours to free with
 * osslive_channel_monitor_free. One thread at a time, except for
 * osslive_channel_monitor_stop.
 */
typedef struct osslive_channel_monitor osslive_channel_monitor;

/**
 * A client for the live channels of one bucket: yours to free with
 * osslive_client_free. Any number of threads may use it at once. It reuses
 * connections between calls.
 */
typedef struct osslive_client osslive_client;

/**
 * The configuration of a client. It needs a bucket, credentials, and a region
 * or an endpoint; everything else has a default. Yours to free with
 * osslive_config_free; one thread at a time.
 */
typedef struct osslive_config osslive_config;

/**
 * The details of a failure: yours to free with osslive_error_free. Strings
 * returned by its functions belong to it and are valid until it is freed.
 */
typedef struct osslive_error osslive_error;

/**
 * Options for batch operations on channels: for osslive_monitor_channels,
 * osslive_put_channels and osslive_channel_monitor_new, which accept NULL for
 * the defaults. Yours to free with osslive_sweep_options_free; one thread at a
 * time.
 */
typedef struct osslive_sweep_options osslive_sweep_options;

/**
 * A log callback. It receives a level (OSSLIVE_LOG_...), one line of text that
 * is valid only during the call, and the pointer set with it.
 *
 * It runs on the thread that makes the call, so on several threads at once if
 * several make calls. It must return normally: no longjmp, no C++ exception.
 * It may call functions of this library; log messages from those calls are
 * dropped.
 */
typedef void (*osslive_log_callback)(int level, const char *message, void *user_data);

/**
 * A URL parameter: two strings, neither NULL.
 */
typedef struct {
  /**
   * The name, which must be unique.
   */
  const char *name;
  /**
   * The value.
   */
  const char *value;
} osslive_param;

/**
 * A progress callback. It receives the number of finished items, failures
 * included, the total, and the pointer passed with it. Return 0 to continue;
 * any other value stops the operation, and the callback is not called again.
 *
 * It runs on the thread that made the call, before the call returns. It must
 * return normally: no longjmp, no C++ exception. It may call functions of this
 * library.
 */
typedef int (*osslive_progress_callback)(size_t done, size_t total, void *user_data);

/**
 * A status callback. It receives a channel's JSON (id and what
 * osslive_get_channel_status returns, or id and error) and the pointer passed with
 * it. The JSON is valid only during the call. Return 0 to continue; any other value
 * stops the operation, and the callback is not called again.
 *
 * It runs on the thread that made the call, before the call returns. It must
 * return normally: no longjmp, no C++ exception. It may call functions of this
 * library.
 */
typedef int (*osslive_status_callback)(const char *json, void *user_data);

/**
 * A part of a recording. Zero-initialize, then set what you need: {.name =
 * "opening", .to_ms = 300000} is the first five minutes of the latest session,
 * and {.name = "closing", .from_ms = -300000} the last five.
 */
typedef struct {
  /**
   * The name of its playlist; ".m3u8" is appended if missing.
   */
  const char *name;
  /**
   * Start within the session, in milliseconds: an offset from its start,
   * or, if negative, from its end. The end of the current session is now.
   */
  int64_t from_ms;
  /**
   * End within the session, likewise; 0 is its end.
   */
  int64_t to_ms;
  /**
   * A time within the session, in Unix seconds; 0 selects the latest
   * session.
   */
  int64_t session_time;
  /**
   * Start as a Unix time in seconds, instead of an offset within a session.
   */
  int64_t start_time;
  /**
   * End as a Unix time in seconds. If start_time or end_time is set, the
   * three fields above must be 0.
   */
  int64_t end_time;
} osslive_highlight;

/**
 * What to download, and how. Zero-initialize, then set what you need: {.path =
 * "show.ts"} selects the latest session.
 */
typedef struct {
  /**
   * The file to write: an MPEG transport stream.
   */
  const char *path;
  /**
   * A time within the session, in Unix seconds; 0 selects the latest session.
   */
  int64_t session_time;
  /**
   * Start as a Unix time in seconds, instead of a session.
   */
  int64_t start_time;
  /**
   * End as a Unix time in seconds.
   */
  int64_t end_time;
  /**
   * How far to go back from now, in milliseconds, instead of a session or the
   * two times.
   */
  int64_t last_ms;
  /**
   * The maximum number of concurrent transfers, at most 64; 0 means 4.
   */
  uint32_t max_parallel;
  /**
   * Nonzero to keep downloading until the channel is no longer live, or
   * end_time is reached.
   */
  int follow;
  /**
   * Nonzero to replace an existing file, and to start over instead of
   * resuming.
   */
  int overwrite;
} osslive_download;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Returns the version of the loaded library, such as "0.1.0". Compare it with
 * OSSLIVE_VERSION, the version of the header. The string belongs to the
 * library.
 */
const char *osslive_version(void);

/**
 * Returns the ABI version of the loaded library. Programs that load the
 * library by name compare it with OSSLIVE_ABI_VERSION. It changes only when
 * existing programs would break.
 */
uint32_t osslive_abi_version(void);

/**
 * Returns the category of the failure, which is what the call returned.
 * OSSLIVE_OK for NULL.
 */
osslive_status osslive_error_status(const osslive_error *error);

/**
 * Returns the message, one line for logs or users, with the code, the HTTP
 * status and the request id if known. Never NULL; "" for NULL.
 */
const char *osslive_error_message(const osslive_error *error);

/**
 * Returns the name of the reason, such as "NoSuchLiveChannel", "ChannelStillLive"
 * or "AccessDenied": the service's error code, or the library's own for its
 * own checks ("InvalidChannelName", "ChannelAlreadyExists"). NULL if there is
 * none.
 */
const char *osslive_error_code(const osslive_error *error);

/**
 * Returns the HTTP status of the response; 0 if there was none.
 */
int osslive_error_http_status(const osslive_error *error);

/**
 * Returns the request id, which identifies the request to the service's
 * support. NULL if unknown.
 */
const char *osslive_error_request_id(const osslive_error *error);

/**
 * Returns the service's detailed error code (EC), such as "0044-00000308".
 * NULL if unknown.
 */
const char *osslive_error_ec(const osslive_error *error);

/**
 * Frees an error and its strings. NULL is fine.
 */
void osslive_error_free(osslive_error *error);

/**
 * Wipes and frees a string that a call returned through a `char **`, because
 * URLs can be secrets. NULL is fine. Do not pass strings from elsewhere, or
 * the `const char *` that functions return.
 */
void osslive_string_free(char *string);

/**
 * Sets the log callback for all clients in the process. NULL, the default,
 * disables logging. Messages never contain secrets or signed URLs.
 *
 * - max_level: the most verbose level to log, OSSLIVE_LOG_ERROR (1) to
 *   OSSLIVE_LOG_DEBUG (4).
 * - user_data: passed to the callback unchanged.
 *
 * Once this returns, the previous callback is not running on any thread and
 * will not run again, so its user_data may be freed. Setting the same callback
 * and user_data again only changes the level, and does not wait. No lock is
 * held while the callback runs, and a child process forked meanwhile may set
 * its own.
 *
 * Fails with OSSLIVE_ERR_INVALID_ARGUMENT for a level out of range, and when
 * called from the callback itself.
 */
osslive_status osslive_set_log_callback(osslive_log_callback callback,
                                        void *user_data,
                                        int max_level,
                                        osslive_error **out_error);

/**
 * Creates an empty configuration. Never NULL.
 */
osslive_config *osslive_config_new(void);

/**
 * Frees a configuration. NULL is fine. Clients created from it are unaffected.
 */
void osslive_config_free(osslive_config *config);

/**
 * Sets the region, such as "cn-hangzhou". Inferred from the endpoint by
 * default.
 */
osslive_status osslive_config_set_region(osslive_config *config,
                                         const char *region,
                                         osslive_error **out_error);

/**
 * Sets the endpoint: a host, optionally with a scheme and a port, such as
 * "http://127.0.0.1:9000". A scheme overrides osslive_config_set_secure.
 * Defaults to the region's public endpoint.
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
 * Sets the access key. security_token is the STS token of temporary
 * credentials, or NULL.
 *
 * Fails with OSSLIVE_ERR_CREDENTIALS if a part is empty or contains characters
 * not allowed in keys.
 */
osslive_status osslive_config_set_credentials(osslive_config *config,
                                              const char *access_key_id,
                                              const char *access_key_secret,
                                              const char *security_token,
                                              osslive_error **out_error);

/**
 * Loads settings from the environment: the access key from OSS_ACCESS_KEY_ID,
 * OSS_ACCESS_KEY_SECRET and, if set, OSS_SESSION_TOKEN; region, endpoint and
 * bucket from OSS_REGION, OSS_ENDPOINT and OSS_BUCKET.
 *
 * Each setting is taken from the first source that has it: the
 * osslive_config_set_ functions, then what is loaded, in the order of loading.
 * Contradictory settings make osslive_client_new fail with OSSLIVE_ERR_CONFIG.
 *
 * If no source has an access key, osslive_client_new fails with
 * OSSLIVE_ERR_CREDENTIALS and names the missing variable.
 */
osslive_status osslive_config_load_env(osslive_config *config, osslive_error **out_error);

/**
 * Loads settings from a profile of a config file, ossutil's or the aliyun
 * command's: credentials, region and endpoint. The precedence is that of
 * osslive_config_load_env. Modes: AK, StsToken, RamRoleArn,
 * ChainableRamRoleArn, EcsRamRole, RamRoleArnWithEcs, OIDC, External and
 * CredentialsURI.
 *
 * - path: the file. NULL means OSSUTIL_CONFIG_FILE, else .ossutilconfig in the
 *   home directory, else .aliyun/config.json there.
 * - profile: the profile's name. NULL means OSSUTIL_PROFILE, or
 *   ALIBABA_CLOUD_PROFILE for the aliyun command's file, else the file's
 *   default profile.
 *
 * Fails with OSSLIVE_ERR_CREDENTIALS if the file or profile does not exist, or
 * if its mode is none of these.
 */
osslive_status osslive_config_load_profile(osslive_config *config,
                                           const char *path,
                                           const char *profile,
                                           osslive_error **out_error);

/**
 * Enables the region's internal endpoint, for use inside its network. Defaults
 * to 0.
 */
osslive_status osslive_config_set_internal(osslive_config *config,
                                           int internal,
                                           osslive_error **out_error);

/**
 * Enables TLS for endpoints without a scheme. Defaults to 1.
 */
osslive_status osslive_config_set_secure(osslive_config *config,
                                         int secure,
                                         osslive_error **out_error);

/**
 * Sets where the bucket appears in URLs: "virtual" (https://BUCKET.ENDPOINT/),
 * "path" (https://ENDPOINT/BUCKET/) or "cname" (https://ENDPOINT/, a custom
 * domain bound to the bucket). Defaults to "path" for IP addresses and
 * localhost, and to "virtual" otherwise.
 */
osslive_status osslive_config_set_addressing_style(osslive_config *config,
                                                   const char *style,
                                                   osslive_error **out_error);

/**
 * Sets the signature version: 4, or 1 for gateways that only support version
 * 1. Defaults to 4.
 */
osslive_status osslive_config_set_signature_version(osslive_config *config,
                                                    uint32_t version,
                                                    osslive_error **out_error);

/**
 * Sets the timeout for connecting, in milliseconds. Defaults to 10,000.
 */
osslive_status osslive_config_set_connect_timeout_ms(osslive_config *config,
                                                     uint32_t timeout_ms,
                                                     osslive_error **out_error);

/**
 * Sets the timeout of a call, in milliseconds, including retries and back-off.
 * Defaults to 30,000.
 */
osslive_status osslive_config_set_timeout_ms(osslive_config *config,
                                             uint32_t timeout_ms,
                                             osslive_error **out_error);

/**
 * Sets the maximum number of attempts per call. Defaults to 3.
 */
osslive_status osslive_config_set_attempts(osslive_config *config,
                                           uint32_t attempts,
                                           osslive_error **out_error);

/**
 * Sets the maximum number of idle connections. Defaults to 16; the number of
 * calling threads is a good choice.
 */
osslive_status osslive_config_set_pool_size(osslive_config *config,
                                            uint32_t connections,
                                            osslive_error **out_error);

/**
 * Sets the proxy by its URL, such as "http://USER:PASSWORD@HOST:PORT" (http,
 * https, socks4, socks4a, socks5, socks5h). NULL disables the proxy.
 *
 * By default, the proxy is read from the environment, as in curl: https_proxy
 * or HTTPS_PROXY, http_proxy in lower case only, all_proxy or ALL_PROXY, with
 * the exceptions in no_proxy or NO_PROXY; endpoints on loopback are then
 * always reached directly.
 */
osslive_status osslive_config_set_proxy(osslive_config *config,
                                        const char *url,
                                        osslive_error **out_error);

/**
 * Trusts only the certificates in a PEM string, such as that of a private gateway.
 * Defaults to the certificates in SSL_CERT_FILE and SSL_CERT_DIR if set, else
 * Mozilla's.
 */
osslive_status osslive_config_set_root_certificates(osslive_config *config,
                                                    const char *pem,
                                                    osslive_error **out_error);

/**
 * Appends a string such as "MyEncoder/2.1" to the user agent. Defaults to
 * none.
 */
osslive_status osslive_config_set_user_agent(osslive_config *config,
                                             const char *user_agent,
                                             osslive_error **out_error);

/**
 * Controls whether osslive_get_rtmp_url signs an STS token (1, the default) or
 * appends it unsigned (0). The service does not document which it expects: try
 * 0 if publishers with a token are rejected.
 */
osslive_status osslive_config_set_sign_security_token(osslive_config *config,
                                                      int sign,
                                                      osslive_error **out_error);

/**
 * Loads the machine's default credentials, as the vendor's tools do: the first
 * of these that exists.
 *
 *  1. OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET, OSS_SESSION_TOKEN
 *  2. ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET,
 *     ALIBABA_CLOUD_SECURITY_TOKEN
 *  3. an OIDC role: ALIBABA_CLOUD_ROLE_ARN, ALIBABA_CLOUD_OIDC_PROVIDER_ARN,
 *     ALIBABA_CLOUD_OIDC_TOKEN_FILE
 *  4. ossutil's config file, ~/.ossutilconfig
 *  5. the aliyun command's config file, ~/.aliyun/config.json
 *  6. ~/.alibabacloud/credentials
 *  7. the role of the ECS instance, unless ALIBABA_CLOUD_ECS_METADATA_DISABLED
 *     is "true"
 *  8. the URL in ALIBABA_CLOUD_CREDENTIALS_URI
 *
 * Region, endpoint and bucket come from OSS_REGION, OSS_ENDPOINT and
 * OSS_BUCKET, region and endpoint also from the config file that has the
 * credentials. The precedence is that of osslive_config_load_env.
 *
 * Temporary credentials are obtained by the first call that needs them, and
 * refreshed before they expire. If there are none, that call, or
 * osslive_client_new, fails with OSSLIVE_ERR_CREDENTIALS; the message lists
 * everything that was tried.
 */
osslive_status osslive_config_load_default_credentials(osslive_config *config,
                                                       osslive_error **out_error);

/**
 * Takes credentials from the RAM role of the ECS instance. They are obtained by
 * the first call that needs them, and refreshed before they expire.
 *
 * - role_name: the role's name, which saves a request. NULL asks the metadata
 *   service for it.
 */
osslive_status osslive_config_set_ecs_role(osslive_config *config,
                                           const char *role_name,
                                           osslive_error **out_error);

/**
 * Takes credentials from STS for a RAM role, with the token of an OIDC provider
 * (AssumeRoleWithOIDC), as RRSA does in Kubernetes. They are obtained by the
 * first call that needs them, and refreshed before they expire.
 *
 * - role_arn, oidc_provider_arn: the ARNs of the role and of the provider.
 * - oidc_token_file: the file with the token, read again for each refresh.
 * - session_name: the session's name in RAM's logs. NULL means "osslive".
 * - sts_endpoint: a host, optionally with a scheme and a port. NULL means
 *   ALIBABA_CLOUD_STS_ENDPOINT, else that of the region in
 *   ALIBABA_CLOUD_STS_REGION, else "sts.aliyuncs.com".
 */
osslive_status osslive_config_set_oidc_role(osslive_config *config,
                                            const char *role_arn,
                                            const char *oidc_provider_arn,
                                            const char *oidc_token_file,
                                            const char *session_name,
                                            const char *sts_endpoint,
                                            osslive_error **out_error);

/**
 * Takes credentials from a program. It runs when the first call needs them, and
 * again before they expire.
 *
 * - command: the program and its arguments, separated by spaces; quotation
 *   marks keep an argument together. No shell is involved. Within 30 seconds it must
 *   print a JSON object of AccessKeyId, AccessKeySecret and, for temporary
 *   credentials, SecurityToken and Expiration (RFC 3339); or of access_key_id,
 *   access_key_secret, sts_token and expiration.
 */
osslive_status osslive_config_set_credential_process(osslive_config *config,
                                                     const char *command,
                                                     osslive_error **out_error);

/**
 * Takes credentials from a URL, which returns the same JSON as the program of
 * osslive_config_set_credential_process. It is requested when the first call
 * needs them, and again before they expire.
 */
osslive_status osslive_config_set_credentials_uri(osslive_config *config,
                                                  const char *uri,
                                                  osslive_error **out_error);

/**
 * Creates a client. Sends nothing. The configuration is copied and remains
 * yours.
 *
 * Fails with OSSLIVE_ERR_CONFIG or OSSLIVE_ERR_CREDENTIALS and names what is
 * missing or wrong.
 */
osslive_status osslive_client_new(const osslive_config *config,
                                  osslive_client **out_client,
                                  osslive_error **out_error);

/**
 * Frees a client. NULL is fine. No call on it may be in progress.
 */
void osslive_client_free(osslive_client *client);

/**
 * Creates a second client with a different call timeout, in milliseconds. Both
 * share connections and credentials; free each separately.
 */
osslive_status osslive_client_with_timeout_ms(const osslive_client *client,
                                              uint32_t timeout_ms,
                                              osslive_client **out_client,
                                              osslive_error **out_error);

/**
 * Shuts down a client and those created from it with
 * osslive_client_with_timeout_ms, so that the host application can exit. Calls
 * in progress on other threads return at once with OSSLIVE_ERR_STOPPED,
 * whatever they are waiting for; later calls fail in the same way. Functions
 * that send nothing keep working. The service may or may not have executed
 * interrupted requests. Free the clients as usual once no call uses them.
 */
osslive_status osslive_client_shutdown(const osslive_client *client, osslive_error **out_error);

/**
 * Replaces the access key of a client and of those created from it with
 * osslive_client_with_timeout_ms, while other threads use them. Calls in
 * progress finish with the previous key. security_token may be NULL.
 *
 * Fails with OSSLIVE_ERR_CREDENTIALS if a part is empty or contains characters
 * not allowed in keys; the client then keeps its key.
 */
osslive_status osslive_client_set_credentials(const osslive_client *client,
                                              const char *access_key_id,
                                              const char *access_key_secret,
                                              const char *security_token,
                                              osslive_error **out_error);

/**
 * Creates a configuration with defaults and a display name, which may be
 * empty. The service has no display names: it stores the name as the
 * description, unless you set one.
 */
osslive_status osslive_channel_config_new(const char *name,
                                          osslive_channel_config **out_channel_config,
                                          osslive_error **out_error);

/**
 * Frees a channel configuration. NULL is fine.
 */
void osslive_channel_config_free(osslive_channel_config *channel_config);

/**
 * Sets the description, at most 128 bytes. Defaults to the name.
 */
osslive_status osslive_channel_config_set_description(osslive_channel_config *channel_config,
                                                      const char *description,
                                                      osslive_error **out_error);

/**
 * Enables or disables the channel: "enabled" or "disabled". Defaults to
 * "enabled".
 */
osslive_status osslive_channel_config_set_status(osslive_channel_config *channel_config,
                                                 const char *status,
                                                 osslive_error **out_error);

/**
 * Sets the fragment duration in seconds, 1 to 100. A fragment ends at the
 * first key frame after this time. Defaults to 5.
 */
osslive_status osslive_channel_config_set_frag_duration(osslive_channel_config *channel_config,
                                                        uint32_t frag_duration_s,
                                                        osslive_error **out_error);

/**
 * Sets the number of fragments in the live playlist, 1 to 100. Defaults to 3.
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
 * Enables snapshots of key frames, in regions that support them: every
 * interval_s seconds (1 to 100) into dest_bucket, written with the permissions
 * of the RAM role role_name and announced on the message topic notify_topic.
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
 * Creates a channel that does not exist (GetLiveChannelInfo, then
 * PutLiveChannel). If two callers create the same channel at the same time,
 * both may succeed.
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
 * Returns a channel's configuration (GetLiveChannelInfo; its URLs and
 * last-modified time come from ListLiveChannel if the credentials may list channels).
 *
 * JSON: name (the id), description, status ("enabled" or "disabled"), type
 * ("HLS"), fragDuration (seconds), fragCount, playlistName, createTime?
 * (reserved: the service does not return it today), lastModified?,
 * publishUrls[], playUrls[], res.
 *
 * Fails with the code NoSuchLiveChannel.
 */
osslive_status osslive_get_channel(const osslive_client *client,
                                   const char *id,
                                   char **out_json,
                                   osslive_error **out_error);

/**
 * Deletes a channel; recordings are kept (DeleteLiveChannel). Succeeds if the
 * channel does not exist.
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
 * Returns one page of channels, in byte order (ListLiveChannel).
 *
 * - prefix: list only names that start with this, or NULL.
 * - marker: list only names after this one, or NULL. Pass nextMarker of the
 *   previous page.
 * - max_keys: the page size, 1 to 1000, or 0 for the service's default of 100.
 *
 * JSON: channels[] of name, description, status, lastModified?, publishUrls[],
 * playUrls[]; isTruncated; nextMarker? (if isTruncated); res.
 */
osslive_status osslive_list_channels(const osslive_client *client,
                                     const char *prefix,
                                     const char *marker,
                                     uint32_t max_keys,
                                     char **out_json,
                                     osslive_error **out_error);

/**
 * Enables or disables a channel (PutLiveChannelStatus). Disabling disconnects
 * its publisher; the service takes about ten seconds to do so.
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
 * Returns the channel's status (GetLiveChannelStat).
 *
 * JSON: status ("Live", "Idle" or "Disabled"), connectedTime?, remoteAddr?
 * ("IP:PORT"), video? of width, height, frameRate, bandwidth, codec, audio? of
 * bandwidth, sampleRate, codec; res. Optional keys are present only while the
 * channel is live. Bandwidths are in bytes per second.
 *
 * Fails with the code NoSuchLiveChannel.
 */
osslive_status osslive_get_channel_status(const osslive_client *client,
                                          const char *id,
                                          char **out_json,
                                          osslive_error **out_error);

/**
 * Reports whether a channel is live (GetLiveChannelStat), for programs without
 * a JSON parser. Sets out_live to 1 or 0.
 *
 * Fails with the code NoSuchLiveChannel; out_live is then 0.
 */
osslive_status osslive_is_channel_live(const osslive_client *client,
                                       const char *id,
                                       int *out_live,
                                       osslive_error **out_error);

/**
 * Waits until a publisher is connected, for at most limit_ms milliseconds. Polls
 * at once, then after 250 ms, and each interval is 1.5 times the
 * previous one, up to 5 s. Transient failures, including throttling, don't end the
 * wait.
 *
 * JSON: as osslive_get_channel_status (of the last poll).
 *
 * Fails with the code WaitTimedOut (OSSLIVE_ERR_TIMEOUT) when the time is up,
 * with the last status in the message; NoSuchLiveChannel; and OSSLIVE_ERR_STOPPED,
 * at once, after osslive_client_shutdown.
 */
osslive_status osslive_wait_until_live(const osslive_client *client,
                                       const char *id,
                                       uint32_t limit_ms,
                                       char **out_json,
                                       osslive_error **out_error);

/**
 * Waits until no publisher is connected: the channel is idle or disabled.
 * Otherwise the same as osslive_wait_until_live.
 *
 * JSON: as osslive_get_channel_status (of the last poll).
 *
 * Fails as osslive_wait_until_live does.
 */
osslive_status osslive_wait_until_idle(const osslive_client *client,
                                       const char *id,
                                       uint32_t limit_ms,
                                       char **out_json,
                                       osslive_error **out_error);

/**
 * Waits until a channel does not exist, for at most limit_ms milliseconds. Polls
 * like osslive_wait_until_live.
 *
 * Fails as osslive_wait_until_live does, except that NoSuchLiveChannel is a success.
 */
osslive_status osslive_wait_until_deleted(const osslive_client *client,
                                          const char *id,
                                          uint32_t limit_ms,
                                          osslive_error **out_error);

/**
 * Returns the last ten finished sessions of a channel, oldest first
 * (GetLiveChannelHistory). A session is among them once the service has noticed its
 * end: after a publisher has disconnected, call osslive_wait_until_idle first.
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
 * Summarizes the sessions of the given number of past days, at least 1
 * (GetLiveChannelHistory). The service keeps only the last ten finished
 * sessions of a channel: isTruncated means that there may have been more, in
 * which case the figures cover only those that are left.
 *
 * JSON: startTime, endTime (of the analyzed period); sessionCount;
 * totalDurationHours; averageDurationMinutes (0 without sessions); uniqueIps[]
 * (without ports); gaps[] (between sessions) of startTime, endTime,
 * durationMinutes; sessions[] and longestSession? of startTime, endTime,
 * durationMinutes, remoteAddr ("IP:PORT"); isTruncated. Sessions are clipped
 * to the period.
 *
 * Fails with the code NoSuchLiveChannel.
 */
osslive_status osslive_analyze_history(const osslive_client *client,
                                       const char *id,
                                       uint32_t days,
                                       char **out_json,
                                       osslive_error **out_error);

/**
 * Saves a playlist of what was recorded in a time range as CHANNEL/NAME in the
 * bucket, replacing an existing one (PostVodPlaylist).
 *
 * - name: the playlist's name; ".m3u8" is appended if missing.
 * - start_time, end_time: Unix seconds, both inclusive. The end must be after
 *   the start, by at most a day (86,400).
 *
 * JSON: res.
 *
 * Fails with the code InvalidArgument if nothing was recorded in that range.
 */
osslive_status osslive_create_vod(const osslive_client *client,
                                  const char *id,
                                  const char *name,
                                  int64_t start_time,
                                  int64_t end_time,
                                  char **out_json,
                                  osslive_error **out_error);

/**
 * Returns the playlist that osslive_create_vod would save (GetVodPlaylist).
 * out_playlist receives its text; the URLs of fragments are relative to
 * CHANNEL/ in the bucket. Times are as in osslive_create_vod.
 *
 * Fails with the code InvalidArgument if nothing was recorded in that range.
 */
osslive_status osslive_get_vod(const osslive_client *client,
                               const char *id,
                               int64_t start_time,
                               int64_t end_time,
                               char **out_playlist,
                               osslive_error **out_error);

/**
 * Signs a publish URL, rtmp://... . Sends nothing, and the channel need not
 * exist yet. Anyone who has the URL can publish until it expires: treat it as
 * a secret.
 *
 * - expires_s: how many seconds the URL is valid, usually OSSLIVE_DEFAULT_EXPIRES_S:
 *   publishers must connect within this time. Expiry does not disconnect a publisher.
 * - params, n_params: additional signed parameters, or NULL and 0.
 *   "playlistName" sets the live playlist of the session instead of the
 *   channel's. Parameters used by the signature itself are rejected.
 */
osslive_status osslive_get_rtmp_url(const osslive_client *client,
                                    const char *id,
                                    uint32_t expires_s,
                                    const osslive_param *params,
                                    size_t n_params,
                                    char **out_url,
                                    osslive_error **out_error);

/**
 * Signs a publish URL as osslive_get_rtmp_url does, and returns its parts and
 * expiry.
 *
 * JSON: url, server, streamKey (the two parts of the URL, for encoders that have
 * separate fields), expiresAt.
 */
osslive_status osslive_get_publish_url(const osslive_client *client,
                                       const char *id,
                                       uint32_t expires_s,
                                       const osslive_param *params,
                                       size_t n_params,
                                       char **out_json,
                                       osslive_error **out_error);

/**
 * Signs a play URL for a channel of a private bucket, https://... . Sends
 * nothing. The service signs the fragments in the playlist as well.
 *
 * - playlist: the playlist's name, or NULL for "playlist.m3u8".
 * - expires_s: the URL's lifetime in seconds from now, at most a week
 *   (604,800) with signature version 4.
 */
osslive_status osslive_get_play_url(const osslive_client *client,
                                    const char *id,
                                    const char *playlist,
                                    uint32_t expires_s,
                                    char **out_url,
                                    osslive_error **out_error);

/**
 * Creates options with their defaults. Never NULL.
 */
osslive_sweep_options *osslive_sweep_options_new(void);

/**
 * Frees options. NULL is fine. Monitors created with them are unaffected.
 */
void osslive_sweep_options_free(osslive_sweep_options *sweep_options);

/**
 * Sets the maximum number of concurrent requests, 1 to 256. Above 16, raise
 * the pool size of the client as well (osslive_config_set_pool_size). Defaults
 * to 8.
 */
osslive_status osslive_sweep_options_set_max_parallel(osslive_sweep_options *sweep_options,
                                                      uint32_t max_parallel,
                                                      osslive_error **out_error);

/**
 * Sets the maximum request rate in requests per second, including retries; 0,
 * the default, means no limit. Batch operations always back off when throttled.
 */
osslive_status osslive_sweep_options_set_rate(osslive_sweep_options *sweep_options,
                                              double calls_per_second,
                                              osslive_error **out_error);

/**
 * Sets a timeout for the whole operation, or for each sweep of a monitor. Requests
 * in flight end when it is reached, and the remaining channels fail with the
 * kind "stopped". Defaults to none.
 */
osslive_status osslive_sweep_options_set_time_limit_ms(osslive_sweep_options *sweep_options,
                                                       uint32_t timeout_ms,
                                                       osslive_error **out_error);

/**
 * Sets a monitor's polling interval, from the start of one sweep to the start
 * of the next. If a sweep takes longer, the next follows at once. Defaults to
 * 30,000.
 */
osslive_status osslive_sweep_options_set_interval_ms(osslive_sweep_options *sweep_options,
                                                     uint32_t interval_ms,
                                                     osslive_error **out_error);

/**
 * Makes a monitor report live channels whose video and audio together are
 * below this many bytes per second. Streams that have not been measured yet
 * are not reported. Defaults to 0, which disables the report.
 */
osslive_status osslive_sweep_options_set_min_bandwidth(osslive_sweep_options *sweep_options,
                                                       uint64_t bytes_per_second,
                                                       osslive_error **out_error);

/**
 * Makes a monitor report a frame rate that fell by more than this fraction
 * between two sweeps: 0 reports every drop, 1 none. Defaults to 0.1.
 */
osslive_status osslive_sweep_options_set_frame_rate_drop(osslive_sweep_options *sweep_options,
                                                         double part,
                                                         osslive_error **out_error);

/**
 * Returns the status of many channels, several at a time (GetLiveChannelStat).
 * Failures are isolated: each channel carries its own error. Duplicate ids are
 * read and listed once.
 *
 * - ids, n_ids: the channels, up to a million.
 * - sweep_options: options, or NULL.
 * - progress, user_data: called after each channel, or NULL. If it stops the
 *   operation, requests in flight are awaited, and the remaining channels fail with
 *   the kind "stopped".
 *
 * JSON: live[], idle[] and disabled[] of id and what
 * osslive_get_channel_status returns; failed[] of id and error; total (the number in
 * all four).
 *
 * There is no timeout by default: see osslive_sweep_options_set_time_limit_ms.
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
 * Reads the status of many channels, several at a time, and calls on_status with each
 * as it arrives (GetLiveChannelStat). Nothing is kept, so memory use does not
 * depend on the number of channels; otherwise like osslive_monitor_channels.
 * Duplicate ids are read again.
 *
 * - ids, n_ids: the channels, up to a million.
 * - sweep_options: options, or NULL.
 * - on_status, user_data: called with each channel.
 *
 * Fails with OSSLIVE_ERR_STOPPED if the callback stopped the operation or the time limit was
 * reached before all channels were read.
 */
osslive_status osslive_sweep_channels(const osslive_client *client,
                                      const char *const *ids,
                                      size_t n_ids,
                                      const osslive_sweep_options *sweep_options,
                                      osslive_status_callback on_status,
                                      void *user_data,
                                      osslive_error **out_error);

/**
 * Creates or replaces many channels, several at a time (PutLiveChannel).
 * Failures are isolated. A duplicate of an earlier id fails.
 *
 * - ids, channel_configs, n_ids: the channels, up to a million, and the
 *   configuration of each. The same configuration may be used many times.
 * - sweep_options, progress, user_data: as in osslive_monitor_channels.
 *
 * JSON: results[] (in the order of ids) of id and either publishUrls[],
 * playUrls[], res, or error; failed and total (counts).
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
 * Creates a monitor. Sends nothing. Ids and options are copied; the client may
 * be freed before the monitor.
 *
 * - ids, n_ids: the channels, up to a million.
 * - sweep_options: interval, limits and request rate, or NULL for the
 *   defaults.
 */
osslive_status osslive_channel_monitor_new(const osslive_client *client,
                                           const char *const *ids,
                                           size_t n_ids,
                                           const osslive_sweep_options *sweep_options,
                                           osslive_channel_monitor **out_monitor,
                                           osslive_error **out_error);

/**
 * Stops and frees a monitor. NULL is fine. No call on it may be in progress:
 * stop it first and let osslive_channel_monitor_next_changes return.
 */
void osslive_channel_monitor_free(osslive_channel_monitor *monitor);

/**
 * Waits until the next sweep is due, sweeps, and returns the changes, if any. The
 * first sweep is due at once and reports every channel that is not idle. Blocks for
 * about the interval.
 *
 * JSON: changes[] of id, time, change (and its details):
 *
 * - "wentLive": remoteAddr?
 * - "wentIdle", "disabled", "enabled"
 * - "newPublisher": from, to (each "IP:PORT")
 * - "bandwidthLow": bandwidth, limit (bytes per second)
 * - "bandwidthRecovered": bandwidth, limit (bytes per second)
 * - "frameRateFell": from, to (frames per second)
 * - "failing": error (reported once, until "recovered")
 * - "recovered"
 * - "gone" (the channel does not exist; reported once, until "created")
 * - "created".
 *
 * Ignore values you do not know: later versions may add some.
 *
 * Fails with OSSLIVE_ERR_STOPPED once the monitor is stopped. A failed call to
 * the service is reported as a change, even after osslive_client_shutdown.
 */
osslive_status osslive_channel_monitor_next_changes(osslive_channel_monitor *monitor,
                                                    char **out_json,
                                                    osslive_error **out_error);

/**
 * Returns the latest sweep. Sends nothing. Before the first sweep, its lists
 * are empty.
 *
 * JSON: as osslive_monitor_channels.
 */
osslive_status osslive_channel_monitor_last_sweep(const osslive_channel_monitor *monitor,
                                                  char **out_json,
                                                  osslive_error **out_error);

/**
 * Stops a monitor from any thread: osslive_channel_monitor_next_changes
 * returns at once, whatever it is waiting for, and later calls fail in the
 * same way. A request in flight ends on its own thread, within the timeout of
 * the client.
 */
osslive_status osslive_channel_monitor_stop(const osslive_channel_monitor *monitor,
                                            osslive_error **out_error);

/**
 * Saves parts of a channel's recording as playlists (GetLiveChannelStat,
 * GetLiveChannelHistory, then PostVodPlaylist for each). Failures are
 * isolated.
 *
 * Highlights are clipped to the known sessions: the last ten finished ones and
 * the current one. If there are ten finished ones, times before the oldest are not
 * clipped: the service may still have recordings from then. A highlight fails if
 * nothing is left of it, if it is longer than a day, or if an earlier one uses the
 * same playlist. Existing playlists are replaced.
 *
 * - highlights, n_highlights: what to save.
 * - progress, user_data: called after each highlight, or NULL. If it stops the
 *   operation, the remaining highlights fail with the kind "stopped".
 *
 * JSON: results[] (in the order of highlights) of name, playlist (for
 * osslive_get_play_url), start?, end?, error?; failed and total
 * (counts).
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

/**
 * Downloads a part of a channel's recording into one MPEG transport stream: its
 * fragments one after the other, byte for byte (ListObjectsV2 and GetObject; for
 * sessions also GetLiveChannelStat and GetLiveChannelHistory).
 *
 * The part may be of any length. Complete fragments are kept in PATH.part, with a
 * journal in PATH.progress: after an error, a stop or a crash, the same call
 * resumes the download, with the start and end times determined when it began.
 * Both files are removed once PATH is complete.
 *
 * - progress, user_data: called several times a second, or NULL. It receives the
 *   number of bytes in the file and of bytes known to be recorded. If it stops the
 *   download, the call fails with the kind "stopped", and can be resumed.
 *
 * JSON: startTime, endTime (what was recorded, the end to about a second),
 * fragments (their number), bytes, resumedBytes (of an earlier attempt), gaps[]
 * (of three seconds or more) of startTime, endTime, durationMinutes.
 *
 * Fails with the codes NothingRecorded and NoSuchLiveChannel (a session of a
 * channel that was deleted), and with the kind "file", including if the file already exists.
 */
osslive_status osslive_download_recording(const osslive_client *client,
                                          const char *id,
                                          const osslive_download *download,
                                          osslive_progress_callback progress,
                                          void *user_data,
                                          char **out_json,
                                          osslive_error **out_error);

/**
 * Examines the path from this machine to the bucket's live channels, and says in
 * plain words why there is no video. Takes at most ten seconds and changes
 * nothing. Whatever goes wrong is a finding, not a failure.
 *
 * - id: the channel to examine, or NULL for only the bucket.
 * - publish_url: the URL that an encoder publishes to, or NULL.
 * - play_url: the URL that players use, or NULL for the channel's.
 * - origin: the origin of web pages that should be able to play it, such as
 *   "https://www.example.com", or NULL.
 * - progress, user_data: called after each check, or NULL. If it stops the
 *   diagnosis, the remaining checks are "notChecked".
 *
 * JSON: checks[] of id (such as "rtmp-port"; ids never change), verdict
 * ("notChecked", "ok", "warning" or "problem"), seen (what was seen, in one
 * sentence), advice? (what to do); problems and warnings (counts);
 * elapsedMs.
 */
osslive_status osslive_diagnose(const osslive_client *client,
                                const char *id,
                                const char *publish_url,
                                const char *play_url,
                                const char *origin,
                                osslive_progress_callback progress,
                                void *user_data,
                                char **out_json,
                                osslive_error **out_error);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* OSSLIVE_H */
