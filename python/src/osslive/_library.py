"""Finds the shared library, loads it, and declares its functions.

``include/osslive.h`` is the manual. The C prototype stands above each
declaration; a test compares them with the header.
"""

from __future__ import annotations

import ctypes
import functools
import os
import sys
from ctypes import (
    POINTER,
    c_char_p,
    c_double,
    c_int,
    c_int64,
    c_size_t,
    c_uint32,
    c_uint64,
    c_void_p,
)
from pathlib import Path
from typing import Any, Callable, List, Tuple

ABI_VERSION = 1

Function = Callable[..., Any]


class LibraryError(ImportError):
    """The shared library was not found, or does not fit; says what was tried."""


# One type per object, so that a pointer of the wrong kind is a TypeError and
# not a crash.
class ConfigObject(ctypes.Structure):
    """osslive_config"""


class ClientObject(ctypes.Structure):
    """osslive_client"""


class ChannelConfigObject(ctypes.Structure):
    """osslive_channel_config"""


class SweepOptionsObject(ctypes.Structure):
    """osslive_sweep_options"""


class ChannelMonitorObject(ctypes.Structure):
    """osslive_channel_monitor"""


class ErrorObject(ctypes.Structure):
    """osslive_error"""


class Param(ctypes.Structure):
    """osslive_param"""

    _fields_ = [("name", c_char_p), ("value", c_char_p)]


class HighlightPart(ctypes.Structure):
    """osslive_highlight"""

    _fields_ = [
        ("name", c_char_p),
        ("from_ms", c_int64),
        ("to_ms", c_int64),
        ("session_time", c_int64),
        ("start_time", c_int64),
        ("end_time", c_int64),
    ]


class OwnedString(c_void_p):
    """A ``char *`` to be freed. Never c_char_p, which ctypes turns into bytes: the
    pointer would be lost."""


ConfigPointer = POINTER(ConfigObject)
ClientPointer = POINTER(ClientObject)
ChannelConfigPointer = POINTER(ChannelConfigObject)
SweepOptionsPointer = POINTER(SweepOptionsObject)
ChannelMonitorPointer = POINTER(ChannelMonitorObject)
ErrorPointer = POINTER(ErrorObject)
OutString = POINTER(OwnedString)
OutClient = POINTER(ClientPointer)
OutChannelConfig = POINTER(ChannelConfigPointer)
OutChannelMonitor = POINTER(ChannelMonitorPointer)
OutError = POINTER(ErrorPointer)
OutInt = POINTER(c_int)
Params = POINTER(Param)
Highlights = POINTER(HighlightPart)
Texts = POINTER(c_char_p)
ChannelConfigs = POINTER(ChannelConfigPointer)

# typedef void (*osslive_log_callback)(int level, const char *message, void *user_data);
LogCallback = ctypes.CFUNCTYPE(None, c_int, c_char_p, c_void_p)

# typedef int (*osslive_progress_callback)(size_t done, size_t total, void *user_data);
ProgressCallback = ctypes.CFUNCTYPE(c_int, c_size_t, c_size_t, c_void_p)


class Library:
    """The functions of the library, without their prefix.

    Those that use the network, or wait for anything else, release the global
    interpreter lock while they run. The others are over in less time than
    that takes.
    """

    def __init__(self, path: str) -> None:
        waiting = ctypes.CDLL(path)
        brief = ctypes.PyDLL(path)
        self.path = path

        # uint32_t osslive_abi_version(void);
        self.abi_version = _function(brief, "osslive_abi_version", c_uint32)
        # const char *osslive_version(void);
        self.version = _function(brief, "osslive_version", c_char_p)
        found = self.abi_version()
        if found != ABI_VERSION:
            raise LibraryError(f"it has ABI version {found}; {ABI_VERSION} is needed")

        self._declare_errors(brief)
        self._declare_config(brief)
        self._declare_channel_config(brief)
        self._declare_client(waiting)
        self._declare_calls(waiting)
        self._declare_urls(brief)
        self._declare_sweep_options(brief)
        self._declare_sweeps(waiting)
        self._declare_channel_monitor(waiting)

        # void osslive_string_free(char *string);
        self.string_free = _function(brief, "osslive_string_free", None, OwnedString)
        # osslive_status osslive_set_log_callback(osslive_log_callback callback,
        #     void *user_data, int max_level, osslive_error **out_error);
        self.set_log_callback = _function(
            waiting, "osslive_set_log_callback", c_int, LogCallback, c_void_p, c_int, OutError
        )

    def _declare_errors(self, dll: ctypes.CDLL) -> None:
        # osslive_status osslive_error_status(const osslive_error *error);
        self.error_status = _function(dll, "osslive_error_status", c_int, ErrorPointer)
        # const char *osslive_error_message(const osslive_error *error);
        self.error_message = _function(dll, "osslive_error_message", c_char_p, ErrorPointer)
        # const char *osslive_error_code(const osslive_error *error);
        self.error_code = _function(dll, "osslive_error_code", c_char_p, ErrorPointer)
        # int osslive_error_http_status(const osslive_error *error);
        self.error_http_status = _function(dll, "osslive_error_http_status", c_int, ErrorPointer)
        # const char *osslive_error_request_id(const osslive_error *error);
        self.error_request_id = _function(dll, "osslive_error_request_id", c_char_p, ErrorPointer)
        # const char *osslive_error_ec(const osslive_error *error);
        self.error_ec = _function(dll, "osslive_error_ec", c_char_p, ErrorPointer)
        # void osslive_error_free(osslive_error *error);
        self.error_free = _function(dll, "osslive_error_free", None, ErrorPointer)

    def _declare_config(self, dll: ctypes.CDLL) -> None:
        def setter(name: str, *arguments: Any) -> Function:
            return _function(dll, name, c_int, ConfigPointer, *arguments, OutError)

        # osslive_config *osslive_config_new(void);
        self.config_new = _function(dll, "osslive_config_new", ConfigPointer)
        # void osslive_config_free(osslive_config *config);
        self.config_free = _function(dll, "osslive_config_free", None, ConfigPointer)
        # osslive_status osslive_config_set_region(osslive_config *config, const char *region,
        #     osslive_error **out_error);
        self.config_set_region = setter("osslive_config_set_region", c_char_p)
        # osslive_status osslive_config_set_endpoint(osslive_config *config,
        #     const char *endpoint, osslive_error **out_error);
        self.config_set_endpoint = setter("osslive_config_set_endpoint", c_char_p)
        # osslive_status osslive_config_set_bucket(osslive_config *config, const char *bucket,
        #     osslive_error **out_error);
        self.config_set_bucket = setter("osslive_config_set_bucket", c_char_p)
        # osslive_status osslive_config_set_credentials(osslive_config *config,
        #     const char *access_key_id, const char *access_key_secret,
        #     const char *security_token, osslive_error **out_error);
        self.config_set_credentials = setter(
            "osslive_config_set_credentials", c_char_p, c_char_p, c_char_p
        )
        # osslive_status osslive_config_load_env(osslive_config *config,
        #     osslive_error **out_error);
        self.config_load_env = setter("osslive_config_load_env")
        # osslive_status osslive_config_load_profile(osslive_config *config, const char *path,
        #     const char *profile, osslive_error **out_error);
        self.config_load_profile = setter("osslive_config_load_profile", c_char_p, c_char_p)
        # osslive_status osslive_config_set_internal(osslive_config *config, int internal,
        #     osslive_error **out_error);
        self.config_set_internal = setter("osslive_config_set_internal", c_int)
        # osslive_status osslive_config_set_secure(osslive_config *config, int secure,
        #     osslive_error **out_error);
        self.config_set_secure = setter("osslive_config_set_secure", c_int)
        # osslive_status osslive_config_set_addressing_style(osslive_config *config,
        #     const char *style, osslive_error **out_error);
        self.config_set_addressing_style = setter("osslive_config_set_addressing_style", c_char_p)
        # osslive_status osslive_config_set_signature_version(osslive_config *config,
        #     uint32_t version, osslive_error **out_error);
        self.config_set_signature_version = setter("osslive_config_set_signature_version", c_uint32)
        # osslive_status osslive_config_set_connect_timeout_ms(osslive_config *config,
        #     uint32_t timeout_ms, osslive_error **out_error);
        self.config_set_connect_timeout_ms = setter(
            "osslive_config_set_connect_timeout_ms", c_uint32
        )
        # osslive_status osslive_config_set_timeout_ms(osslive_config *config,
        #     uint32_t timeout_ms, osslive_error **out_error);
        self.config_set_timeout_ms = setter("osslive_config_set_timeout_ms", c_uint32)
        # osslive_status osslive_config_set_attempts(osslive_config *config, uint32_t attempts,
        #     osslive_error **out_error);
        self.config_set_attempts = setter("osslive_config_set_attempts", c_uint32)
        # osslive_status osslive_config_set_pool_size(osslive_config *config,
        #     uint32_t connections, osslive_error **out_error);
        self.config_set_pool_size = setter("osslive_config_set_pool_size", c_uint32)
        # osslive_status osslive_config_set_proxy(osslive_config *config, const char *url,
        #     osslive_error **out_error);
        self.config_set_proxy = setter("osslive_config_set_proxy", c_char_p)
        # osslive_status osslive_config_set_root_certificates(osslive_config *config,
        #     const char *pem, osslive_error **out_error);
        self.config_set_root_certificates = setter("osslive_config_set_root_certificates", c_char_p)
        # osslive_status osslive_config_set_user_agent(osslive_config *config,
        #     const char *user_agent, osslive_error **out_error);
        self.config_set_user_agent = setter("osslive_config_set_user_agent", c_char_p)
        # osslive_status osslive_config_set_sign_security_token(osslive_config *config,
        #     int sign, osslive_error **out_error);
        self.config_set_sign_security_token = setter(
            "osslive_config_set_sign_security_token", c_int
        )

    def _declare_channel_config(self, dll: ctypes.CDLL) -> None:
        def setter(name: str, *arguments: Any) -> Function:
            return _function(dll, name, c_int, ChannelConfigPointer, *arguments, OutError)

        # osslive_status osslive_channel_config_new(const char *name,
        #     osslive_channel_config **out_channel_config, osslive_error **out_error);
        self.channel_config_new = _function(
            dll, "osslive_channel_config_new", c_int, c_char_p, OutChannelConfig, OutError
        )
        # void osslive_channel_config_free(osslive_channel_config *channel_config);
        self.channel_config_free = _function(
            dll, "osslive_channel_config_free", None, ChannelConfigPointer
        )
        # osslive_status osslive_channel_config_set_description(
        #     osslive_channel_config *channel_config, const char *description,
        #     osslive_error **out_error);
        self.channel_config_set_description = setter(
            "osslive_channel_config_set_description", c_char_p
        )
        # osslive_status osslive_channel_config_set_status(
        #     osslive_channel_config *channel_config, const char *status,
        #     osslive_error **out_error);
        self.channel_config_set_status = setter("osslive_channel_config_set_status", c_char_p)
        # osslive_status osslive_channel_config_set_frag_duration(
        #     osslive_channel_config *channel_config, uint32_t frag_duration_s,
        #     osslive_error **out_error);
        self.channel_config_set_frag_duration = setter(
            "osslive_channel_config_set_frag_duration", c_uint32
        )
        # osslive_status osslive_channel_config_set_frag_count(
        #     osslive_channel_config *channel_config, uint32_t frag_count,
        #     osslive_error **out_error);
        self.channel_config_set_frag_count = setter(
            "osslive_channel_config_set_frag_count", c_uint32
        )
        # osslive_status osslive_channel_config_set_playlist_name(
        #     osslive_channel_config *channel_config, const char *playlist_name,
        #     osslive_error **out_error);
        self.channel_config_set_playlist_name = setter(
            "osslive_channel_config_set_playlist_name", c_char_p
        )
        # osslive_status osslive_channel_config_set_snapshot(
        #     osslive_channel_config *channel_config, const char *role_name,
        #     const char *dest_bucket, const char *notify_topic, uint32_t interval_s,
        #     osslive_error **out_error);
        self.channel_config_set_snapshot = setter(
            "osslive_channel_config_set_snapshot", c_char_p, c_char_p, c_char_p, c_uint32
        )

    def _declare_client(self, dll: ctypes.CDLL) -> None:
        # osslive_status osslive_client_new(const osslive_config *config,
        #     osslive_client **out_client, osslive_error **out_error);
        self.client_new = _function(
            dll, "osslive_client_new", c_int, ConfigPointer, OutClient, OutError
        )
        # void osslive_client_free(osslive_client *client);
        self.client_free = _function(dll, "osslive_client_free", None, ClientPointer)
        # osslive_status osslive_client_with_timeout_ms(const osslive_client *client,
        #     uint32_t timeout_ms, osslive_client **out_client, osslive_error **out_error);
        self.client_with_timeout_ms = _function(
            dll,
            "osslive_client_with_timeout_ms",
            c_int,
            ClientPointer,
            c_uint32,
            OutClient,
            OutError,
        )
        # osslive_status osslive_client_shutdown(const osslive_client *client,
        #     osslive_error **out_error);
        self.client_shutdown = _function(
            dll, "osslive_client_shutdown", c_int, ClientPointer, OutError
        )
        # osslive_status osslive_client_set_credentials(const osslive_client *client,
        #     const char *access_key_id, const char *access_key_secret,
        #     const char *security_token, osslive_error **out_error);
        self.client_set_credentials = _function(
            dll,
            "osslive_client_set_credentials",
            c_int,
            ClientPointer,
            c_char_p,
            c_char_p,
            c_char_p,
            OutError,
        )

    def _declare_calls(self, dll: ctypes.CDLL) -> None:
        def call(name: str, *arguments: Any) -> Function:
            return _function(dll, name, c_int, ClientPointer, *arguments, OutString, OutError)

        # osslive_status osslive_put_channel(const osslive_client *client, const char *id,
        #     const osslive_channel_config *channel_config, char **out_json,
        #     osslive_error **out_error);
        self.put_channel = call("osslive_put_channel", c_char_p, ChannelConfigPointer)
        # osslive_status osslive_create_channel(const osslive_client *client, const char *id,
        #     const osslive_channel_config *channel_config, char **out_json,
        #     osslive_error **out_error);
        self.create_channel = call("osslive_create_channel", c_char_p, ChannelConfigPointer)
        # osslive_status osslive_get_channel(const osslive_client *client, const char *id,
        #     char **out_json, osslive_error **out_error);
        self.get_channel = call("osslive_get_channel", c_char_p)
        # osslive_status osslive_delete_channel(const osslive_client *client, const char *id,
        #     char **out_json, osslive_error **out_error);
        self.delete_channel = call("osslive_delete_channel", c_char_p)
        # osslive_status osslive_list_channels(const osslive_client *client,
        #     const char *prefix, const char *marker, uint32_t max_keys, char **out_json,
        #     osslive_error **out_error);
        self.list_channels = call("osslive_list_channels", c_char_p, c_char_p, c_uint32)
        # osslive_status osslive_put_channel_status(const osslive_client *client,
        #     const char *id, const char *status, char **out_json, osslive_error **out_error);
        self.put_channel_status = call("osslive_put_channel_status", c_char_p, c_char_p)
        # osslive_status osslive_get_channel_status(const osslive_client *client,
        #     const char *id, char **out_json, osslive_error **out_error);
        self.get_channel_status = call("osslive_get_channel_status", c_char_p)
        # osslive_status osslive_is_channel_live(const osslive_client *client, const char *id,
        #     int *out_live, osslive_error **out_error);
        self.is_channel_live = _function(
            dll, "osslive_is_channel_live", c_int, ClientPointer, c_char_p, OutInt, OutError
        )
        # osslive_status osslive_get_channel_history(const osslive_client *client,
        #     const char *id, char **out_json, osslive_error **out_error);
        self.get_channel_history = call("osslive_get_channel_history", c_char_p)
        # osslive_status osslive_analyze_history(const osslive_client *client, const char *id,
        #     uint32_t days, char **out_json, osslive_error **out_error);
        self.analyze_history = call("osslive_analyze_history", c_char_p, c_uint32)
        # osslive_status osslive_create_vod(const osslive_client *client, const char *id,
        #     const char *name, int64_t start_time, int64_t end_time, char **out_json,
        #     osslive_error **out_error);
        self.create_vod = call("osslive_create_vod", c_char_p, c_char_p, c_int64, c_int64)
        # osslive_status osslive_get_vod(const osslive_client *client, const char *id,
        #     int64_t start_time, int64_t end_time, char **out_playlist,
        #     osslive_error **out_error);
        self.get_vod = call("osslive_get_vod", c_char_p, c_int64, c_int64)

    def _declare_urls(self, dll: ctypes.CDLL) -> None:
        # osslive_status osslive_get_rtmp_url(const osslive_client *client, const char *id,
        #     uint32_t expires_s, const osslive_param *params, size_t n_params,
        #     char **out_url, osslive_error **out_error);
        self.get_rtmp_url = _function(
            dll,
            "osslive_get_rtmp_url",
            c_int,
            ClientPointer,
            c_char_p,
            c_uint32,
            Params,
            c_size_t,
            OutString,
            OutError,
        )
        # osslive_status osslive_get_play_url(const osslive_client *client, const char *id,
        #     const char *playlist, uint32_t expires_s, char **out_url,
        #     osslive_error **out_error);
        self.get_play_url = _function(
            dll,
            "osslive_get_play_url",
            c_int,
            ClientPointer,
            c_char_p,
            c_char_p,
            c_uint32,
            OutString,
            OutError,
        )

    def _declare_sweep_options(self, dll: ctypes.CDLL) -> None:
        def setter(name: str, *arguments: Any) -> Function:
            return _function(dll, name, c_int, SweepOptionsPointer, *arguments, OutError)

        # osslive_sweep_options *osslive_sweep_options_new(void);
        self.sweep_options_new = _function(dll, "osslive_sweep_options_new", SweepOptionsPointer)
        # void osslive_sweep_options_free(osslive_sweep_options *sweep_options);
        self.sweep_options_free = _function(
            dll, "osslive_sweep_options_free", None, SweepOptionsPointer
        )
        # osslive_status osslive_sweep_options_set_max_parallel(
        #     osslive_sweep_options *sweep_options, uint32_t max_parallel,
        #     osslive_error **out_error);
        self.sweep_options_set_max_parallel = setter(
            "osslive_sweep_options_set_max_parallel", c_uint32
        )
        # osslive_status osslive_sweep_options_set_rate(osslive_sweep_options *sweep_options,
        #     double calls_per_second, osslive_error **out_error);
        self.sweep_options_set_rate = setter("osslive_sweep_options_set_rate", c_double)
        # osslive_status osslive_sweep_options_set_time_limit_ms(
        #     osslive_sweep_options *sweep_options, uint32_t timeout_ms,
        #     osslive_error **out_error);
        self.sweep_options_set_time_limit_ms = setter(
            "osslive_sweep_options_set_time_limit_ms", c_uint32
        )
        # osslive_status osslive_sweep_options_set_interval_ms(
        #     osslive_sweep_options *sweep_options, uint32_t interval_ms,
        #     osslive_error **out_error);
        self.sweep_options_set_interval_ms = setter(
            "osslive_sweep_options_set_interval_ms", c_uint32
        )
        # osslive_status osslive_sweep_options_set_min_bandwidth(
        #     osslive_sweep_options *sweep_options, uint64_t bytes_per_second,
        #     osslive_error **out_error);
        self.sweep_options_set_min_bandwidth = setter(
            "osslive_sweep_options_set_min_bandwidth", c_uint64
        )
        # osslive_status osslive_sweep_options_set_frame_rate_drop(
        #     osslive_sweep_options *sweep_options, double part, osslive_error **out_error);
        self.sweep_options_set_frame_rate_drop = setter(
            "osslive_sweep_options_set_frame_rate_drop", c_double
        )

    def _declare_sweeps(self, dll: ctypes.CDLL) -> None:
        def work(name: str, *arguments: Any) -> Function:
            hearing = (ProgressCallback, c_void_p, OutString, OutError)
            return _function(dll, name, c_int, ClientPointer, *arguments, *hearing)

        # osslive_status osslive_monitor_channels(const osslive_client *client,
        #     const char *const *ids, size_t n_ids, const osslive_sweep_options *sweep_options,
        #     osslive_progress_callback progress, void *user_data, char **out_json,
        #     osslive_error **out_error);
        self.monitor_channels = work(
            "osslive_monitor_channels", Texts, c_size_t, SweepOptionsPointer
        )
        # osslive_status osslive_put_channels(const osslive_client *client,
        #     const char *const *ids, const osslive_channel_config *const *channel_configs,
        #     size_t n_ids, const osslive_sweep_options *sweep_options,
        #     osslive_progress_callback progress, void *user_data, char **out_json,
        #     osslive_error **out_error);
        self.put_channels = work(
            "osslive_put_channels", Texts, ChannelConfigs, c_size_t, SweepOptionsPointer
        )
        # osslive_status osslive_create_highlights(const osslive_client *client, const char *id,
        #     const osslive_highlight *highlights, size_t n_highlights,
        #     osslive_progress_callback progress, void *user_data, char **out_json,
        #     osslive_error **out_error);
        self.create_highlights = work("osslive_create_highlights", c_char_p, Highlights, c_size_t)

    def _declare_channel_monitor(self, dll: ctypes.CDLL) -> None:
        # osslive_status osslive_channel_monitor_new(const osslive_client *client,
        #     const char *const *ids, size_t n_ids, const osslive_sweep_options *sweep_options,
        #     osslive_channel_monitor **out_monitor, osslive_error **out_error);
        self.channel_monitor_new = _function(
            dll,
            "osslive_channel_monitor_new",
            c_int,
            ClientPointer,
            Texts,
            c_size_t,
            SweepOptionsPointer,
            OutChannelMonitor,
            OutError,
        )
        # void osslive_channel_monitor_free(osslive_channel_monitor *monitor);
        self.channel_monitor_free = _function(
            dll, "osslive_channel_monitor_free", None, ChannelMonitorPointer
        )
        # osslive_status osslive_channel_monitor_next_changes(osslive_channel_monitor *monitor,
        #     char **out_json, osslive_error **out_error);
        self.channel_monitor_next_changes = _function(
            dll,
            "osslive_channel_monitor_next_changes",
            c_int,
            ChannelMonitorPointer,
            OutString,
            OutError,
        )
        # osslive_status osslive_channel_monitor_last_sweep(
        #     const osslive_channel_monitor *monitor, char **out_json,
        #     osslive_error **out_error);
        self.channel_monitor_last_sweep = _function(
            dll,
            "osslive_channel_monitor_last_sweep",
            c_int,
            ChannelMonitorPointer,
            OutString,
            OutError,
        )
        # osslive_status osslive_channel_monitor_stop(const osslive_channel_monitor *monitor,
        #     osslive_error **out_error);
        self.channel_monitor_stop = _function(
            dll, "osslive_channel_monitor_stop", c_int, ChannelMonitorPointer, OutError
        )


def _function(dll: ctypes.CDLL, name: str, result: Any, *arguments: Any) -> Function:
    try:
        function = dll[name]
    except AttributeError:
        raise LibraryError(f"it has no function {name}") from None
    function.restype = result
    function.argtypes = arguments
    return function


def file_names() -> Tuple[str, str]:
    """What the library is called on this system: in a package, and for the loader."""
    if sys.platform == "win32":
        return "osslive.dll", "osslive.dll"
    if sys.platform == "darwin":
        return "libosslive.dylib", f"libosslive.{ABI_VERSION}.dylib"
    return "libosslive.so", f"libosslive.so.{ABI_VERSION}"


def _candidates() -> List[Tuple[str, str]]:
    """Where to look, in order: a label for people, and what to load ("" for nothing). Never the
    working folder, where somebody else may have put a library."""
    own_name, system_name = file_names()
    named = os.environ.get("OSSLIVE_LIBRARY", "")
    return [
        ("the package's own", str(Path(__file__).resolve().parent / own_name)),
        # A name without a folder would be looked up by the loader.
        ("OSSLIVE_LIBRARY", named and os.path.abspath(named)),
        *(("the system's", path) for path in _system_paths(system_name)),
    ]


def _system_paths(name: str) -> List[str]:
    if sys.platform == "darwin":
        # By name alone, dlopen would look into the working folder.
        folders = (os.path.join(sys.prefix, "lib"), "/opt/homebrew/lib", "/usr/local/lib")
        return [os.path.join(folder, name) for folder in folders]
    # The loader takes an empty or relative entry for a part of the working folder.
    search = os.environ.get("LD_LIBRARY_PATH", "")
    entries = search.replace(";", ":").split(":") if search else []
    return [name] if all(map(os.path.isabs, entries)) else []


@functools.cache
def library() -> Library:
    """The library, loaded at the first call."""
    tried: List[str] = []
    for label, path in _candidates():
        if not path:
            tried.append(f"{label}: not set")
            continue
        try:
            return Library(path)
        except (OSError, LibraryError) as error:
            tried.append(f"{label}: {path}: {_reason(error, path)}")
    raise LibraryError("no usable osslive library; tried\n  " + "\n  ".join(tried))


def _reason(error: Exception, path: str) -> str:
    text = str(error)
    prefix = f"{path}: "
    return text[len(prefix) :] if text.startswith(prefix) else text
