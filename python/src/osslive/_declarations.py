"""The functions, types and constants of the library, for ctypes.

Written by generate.py from include/osslive.h, which is the reference.
"""

# fmt: off
# ruff: noqa: E501

import ctypes
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
from typing import Any, Callable, Dict, List, Tuple

VERSION_MAJOR = 0
VERSION_MINOR = 1
VERSION_PATCH = 0
ABI_VERSION = 1
LOG_ERROR = 1
LOG_WARN = 2
LOG_INFO = 3
LOG_DEBUG = 4
DEFAULT_EXPIRES_S = 1800

#: The statuses of failures.
STATUSES: Dict[str, int] = {
    "INVALID_ARGUMENT": 1,
    "CONFIG": 2,
    "CREDENTIALS": 3,
    "CONNECTION": 4,
    "TIMEOUT": 5,
    "SERVICE": 6,
    "BAD_REPLY": 7,
    "INTERNAL": 8,
    "STOPPED": 9,
    "FILE": 10,
}


class OwnedString(c_void_p):
    """char *, to be freed"""


# One type per kind of object: a pointer to another kind is a TypeError, not a crash.
class ChannelConfigObject(ctypes.Structure):
    """osslive_channel_config"""


class ChannelMonitorObject(ctypes.Structure):
    """osslive_channel_monitor"""


class ClientObject(ctypes.Structure):
    """osslive_client"""


class ConfigObject(ctypes.Structure):
    """osslive_config"""


class ErrorObject(ctypes.Structure):
    """osslive_error"""


class SweepOptionsObject(ctypes.Structure):
    """osslive_sweep_options"""


class Param(ctypes.Structure):
    """osslive_param"""

    _fields_ = [
        ("name", c_char_p),
        ("value", c_char_p),
    ]


class Highlight(ctypes.Structure):
    """osslive_highlight"""

    _fields_ = [
        ("name", c_char_p),
        ("from_ms", c_int64),
        ("to_ms", c_int64),
        ("session_time", c_int64),
        ("start_time", c_int64),
        ("end_time", c_int64),
    ]


class Download(ctypes.Structure):
    """osslive_download"""

    _fields_ = [
        ("path", c_char_p),
        ("session_time", c_int64),
        ("start_time", c_int64),
        ("end_time", c_int64),
        ("last_ms", c_int64),
        ("max_parallel", c_uint32),
        ("follow", c_int),
        ("overwrite", c_int),
    ]


ChannelConfigPointer = POINTER(ChannelConfigObject)
ChannelMonitorPointer = POINTER(ChannelMonitorObject)
ClientPointer = POINTER(ClientObject)
ConfigPointer = POINTER(ConfigObject)
ErrorPointer = POINTER(ErrorObject)
SweepOptionsPointer = POINTER(SweepOptionsObject)
ParamPointer = POINTER(Param)
HighlightPointer = POINTER(Highlight)
DownloadPointer = POINTER(Download)
LogCallback = ctypes.CFUNCTYPE(None, c_int, c_char_p, c_void_p)
ProgressCallback = ctypes.CFUNCTYPE(c_int, c_size_t, c_size_t, c_void_p)
StatusCallback = ctypes.CFUNCTYPE(c_int, c_char_p, c_void_p)

#: The result and the arguments of each function.
FUNCTIONS: Dict[str, Tuple[Any, List[Any]]] = {
    "osslive_version": (c_char_p, []),
    "osslive_abi_version": (c_uint32, []),
    "osslive_error_status": (c_int, [ErrorPointer]),
    "osslive_error_message": (c_char_p, [ErrorPointer]),
    "osslive_error_code": (c_char_p, [ErrorPointer]),
    "osslive_error_http_status": (c_int, [ErrorPointer]),
    "osslive_error_request_id": (c_char_p, [ErrorPointer]),
    "osslive_error_ec": (c_char_p, [ErrorPointer]),
    "osslive_error_free": (None, [ErrorPointer]),
    "osslive_string_free": (None, [OwnedString]),
    "osslive_set_log_callback": (c_int, [LogCallback, c_void_p, c_int, POINTER(ErrorPointer)]),
    "osslive_config_new": (ConfigPointer, []),
    "osslive_config_free": (None, [ConfigPointer]),
    "osslive_config_set_region": (c_int, [ConfigPointer, c_char_p, POINTER(ErrorPointer)]),
    "osslive_config_set_endpoint": (c_int, [ConfigPointer, c_char_p, POINTER(ErrorPointer)]),
    "osslive_config_set_bucket": (c_int, [ConfigPointer, c_char_p, POINTER(ErrorPointer)]),
    "osslive_config_set_credentials": (c_int, [ConfigPointer, c_char_p, c_char_p, c_char_p, POINTER(ErrorPointer)]),
    "osslive_config_load_env": (c_int, [ConfigPointer, POINTER(ErrorPointer)]),
    "osslive_config_load_profile": (c_int, [ConfigPointer, c_char_p, c_char_p, POINTER(ErrorPointer)]),
    "osslive_config_set_internal": (c_int, [ConfigPointer, c_int, POINTER(ErrorPointer)]),
    "osslive_config_set_secure": (c_int, [ConfigPointer, c_int, POINTER(ErrorPointer)]),
    "osslive_config_set_addressing_style": (c_int, [ConfigPointer, c_char_p, POINTER(ErrorPointer)]),
    "osslive_config_set_signature_version": (c_int, [ConfigPointer, c_uint32, POINTER(ErrorPointer)]),
    "osslive_config_set_connect_timeout_ms": (c_int, [ConfigPointer, c_uint32, POINTER(ErrorPointer)]),
    "osslive_config_set_timeout_ms": (c_int, [ConfigPointer, c_uint32, POINTER(ErrorPointer)]),
    "osslive_config_set_attempts": (c_int, [ConfigPointer, c_uint32, POINTER(ErrorPointer)]),
    "osslive_config_set_pool_size": (c_int, [ConfigPointer, c_uint32, POINTER(ErrorPointer)]),
    "osslive_config_set_proxy": (c_int, [ConfigPointer, c_char_p, POINTER(ErrorPointer)]),
    "osslive_config_set_root_certificates": (c_int, [ConfigPointer, c_char_p, POINTER(ErrorPointer)]),
    "osslive_config_set_user_agent": (c_int, [ConfigPointer, c_char_p, POINTER(ErrorPointer)]),
    "osslive_config_set_sign_security_token": (c_int, [ConfigPointer, c_int, POINTER(ErrorPointer)]),
    "osslive_config_load_default_credentials": (c_int, [ConfigPointer, POINTER(ErrorPointer)]),
    "osslive_config_set_ecs_role": (c_int, [ConfigPointer, c_char_p, POINTER(ErrorPointer)]),
    "osslive_config_set_oidc_role": (c_int, [ConfigPointer, c_char_p, c_char_p, c_char_p, c_char_p, c_char_p, POINTER(ErrorPointer)]),
    "osslive_config_set_credential_process": (c_int, [ConfigPointer, c_char_p, POINTER(ErrorPointer)]),
    "osslive_config_set_credentials_uri": (c_int, [ConfigPointer, c_char_p, POINTER(ErrorPointer)]),
    "osslive_client_new": (c_int, [ConfigPointer, POINTER(ClientPointer), POINTER(ErrorPointer)]),
    "osslive_client_free": (None, [ClientPointer]),
    "osslive_client_with_timeout_ms": (c_int, [ClientPointer, c_uint32, POINTER(ClientPointer), POINTER(ErrorPointer)]),
    "osslive_client_shutdown": (c_int, [ClientPointer, POINTER(ErrorPointer)]),
    "osslive_client_set_credentials": (c_int, [ClientPointer, c_char_p, c_char_p, c_char_p, POINTER(ErrorPointer)]),
    "osslive_channel_config_new": (c_int, [c_char_p, POINTER(ChannelConfigPointer), POINTER(ErrorPointer)]),
    "osslive_channel_config_free": (None, [ChannelConfigPointer]),
    "osslive_channel_config_set_description": (c_int, [ChannelConfigPointer, c_char_p, POINTER(ErrorPointer)]),
    "osslive_channel_config_set_status": (c_int, [ChannelConfigPointer, c_char_p, POINTER(ErrorPointer)]),
    "osslive_channel_config_set_frag_duration": (c_int, [ChannelConfigPointer, c_uint32, POINTER(ErrorPointer)]),
    "osslive_channel_config_set_frag_count": (c_int, [ChannelConfigPointer, c_uint32, POINTER(ErrorPointer)]),
    "osslive_channel_config_set_playlist_name": (c_int, [ChannelConfigPointer, c_char_p, POINTER(ErrorPointer)]),
    "osslive_channel_config_set_snapshot": (c_int, [ChannelConfigPointer, c_char_p, c_char_p, c_char_p, c_uint32, POINTER(ErrorPointer)]),
    "osslive_put_channel": (c_int, [ClientPointer, c_char_p, ChannelConfigPointer, POINTER(OwnedString), POINTER(ErrorPointer)]),
    "osslive_create_channel": (c_int, [ClientPointer, c_char_p, ChannelConfigPointer, POINTER(OwnedString), POINTER(ErrorPointer)]),
    "osslive_get_channel": (c_int, [ClientPointer, c_char_p, POINTER(OwnedString), POINTER(ErrorPointer)]),
    "osslive_delete_channel": (c_int, [ClientPointer, c_char_p, POINTER(OwnedString), POINTER(ErrorPointer)]),
    "osslive_list_channels": (c_int, [ClientPointer, c_char_p, c_char_p, c_uint32, POINTER(OwnedString), POINTER(ErrorPointer)]),
    "osslive_put_channel_status": (c_int, [ClientPointer, c_char_p, c_char_p, POINTER(OwnedString), POINTER(ErrorPointer)]),
    "osslive_get_channel_status": (c_int, [ClientPointer, c_char_p, POINTER(OwnedString), POINTER(ErrorPointer)]),
    "osslive_is_channel_live": (c_int, [ClientPointer, c_char_p, POINTER(c_int), POINTER(ErrorPointer)]),
    "osslive_wait_until_live": (c_int, [ClientPointer, c_char_p, c_uint32, POINTER(OwnedString), POINTER(ErrorPointer)]),
    "osslive_wait_until_idle": (c_int, [ClientPointer, c_char_p, c_uint32, POINTER(OwnedString), POINTER(ErrorPointer)]),
    "osslive_wait_until_deleted": (c_int, [ClientPointer, c_char_p, c_uint32, POINTER(ErrorPointer)]),
    "osslive_get_channel_history": (c_int, [ClientPointer, c_char_p, POINTER(OwnedString), POINTER(ErrorPointer)]),
    "osslive_analyze_history": (c_int, [ClientPointer, c_char_p, c_uint32, POINTER(OwnedString), POINTER(ErrorPointer)]),
    "osslive_create_vod": (c_int, [ClientPointer, c_char_p, c_char_p, c_int64, c_int64, POINTER(OwnedString), POINTER(ErrorPointer)]),
    "osslive_get_vod": (c_int, [ClientPointer, c_char_p, c_int64, c_int64, POINTER(OwnedString), POINTER(ErrorPointer)]),
    "osslive_get_rtmp_url": (c_int, [ClientPointer, c_char_p, c_uint32, ParamPointer, c_size_t, POINTER(OwnedString), POINTER(ErrorPointer)]),
    "osslive_get_publish_url": (c_int, [ClientPointer, c_char_p, c_uint32, ParamPointer, c_size_t, POINTER(OwnedString), POINTER(ErrorPointer)]),
    "osslive_get_play_url": (c_int, [ClientPointer, c_char_p, c_char_p, c_uint32, POINTER(OwnedString), POINTER(ErrorPointer)]),
    "osslive_sweep_options_new": (SweepOptionsPointer, []),
    "osslive_sweep_options_free": (None, [SweepOptionsPointer]),
    "osslive_sweep_options_set_max_parallel": (c_int, [SweepOptionsPointer, c_uint32, POINTER(ErrorPointer)]),
    "osslive_sweep_options_set_rate": (c_int, [SweepOptionsPointer, c_double, POINTER(ErrorPointer)]),
    "osslive_sweep_options_set_time_limit_ms": (c_int, [SweepOptionsPointer, c_uint32, POINTER(ErrorPointer)]),
    "osslive_sweep_options_set_interval_ms": (c_int, [SweepOptionsPointer, c_uint32, POINTER(ErrorPointer)]),
    "osslive_sweep_options_set_min_bandwidth": (c_int, [SweepOptionsPointer, c_uint64, POINTER(ErrorPointer)]),
    "osslive_sweep_options_set_frame_rate_drop": (c_int, [SweepOptionsPointer, c_double, POINTER(ErrorPointer)]),
    "osslive_monitor_channels": (c_int, [ClientPointer, POINTER(c_char_p), c_size_t, SweepOptionsPointer, ProgressCallback, c_void_p, POINTER(OwnedString), POINTER(ErrorPointer)]),
    "osslive_sweep_channels": (c_int, [ClientPointer, POINTER(c_char_p), c_size_t, SweepOptionsPointer, StatusCallback, c_void_p, POINTER(ErrorPointer)]),
    "osslive_put_channels": (c_int, [ClientPointer, POINTER(c_char_p), POINTER(ChannelConfigPointer), c_size_t, SweepOptionsPointer, ProgressCallback, c_void_p, POINTER(OwnedString), POINTER(ErrorPointer)]),
    "osslive_channel_monitor_new": (c_int, [ClientPointer, POINTER(c_char_p), c_size_t, SweepOptionsPointer, POINTER(ChannelMonitorPointer), POINTER(ErrorPointer)]),
    "osslive_channel_monitor_free": (None, [ChannelMonitorPointer]),
    "osslive_channel_monitor_next_changes": (c_int, [ChannelMonitorPointer, POINTER(OwnedString), POINTER(ErrorPointer)]),
    "osslive_channel_monitor_last_sweep": (c_int, [ChannelMonitorPointer, POINTER(OwnedString), POINTER(ErrorPointer)]),
    "osslive_channel_monitor_stop": (c_int, [ChannelMonitorPointer, POINTER(ErrorPointer)]),
    "osslive_create_highlights": (c_int, [ClientPointer, c_char_p, HighlightPointer, c_size_t, ProgressCallback, c_void_p, POINTER(OwnedString), POINTER(ErrorPointer)]),
    "osslive_download_recording": (c_int, [ClientPointer, c_char_p, DownloadPointer, ProgressCallback, c_void_p, POINTER(OwnedString), POINTER(ErrorPointer)]),
    "osslive_diagnose": (c_int, [ClientPointer, c_char_p, c_char_p, c_char_p, c_char_p, ProgressCallback, c_void_p, POINTER(OwnedString), POINTER(ErrorPointer)]),
}

Function = Callable[..., Any]


class Functions:
    """The functions, without their prefix."""

    #: osslive_version()
    version: Function
    #: osslive_abi_version()
    abi_version: Function
    #: osslive_error_status(error)
    error_status: Function
    #: osslive_error_message(error)
    error_message: Function
    #: osslive_error_code(error)
    error_code: Function
    #: osslive_error_http_status(error)
    error_http_status: Function
    #: osslive_error_request_id(error)
    error_request_id: Function
    #: osslive_error_ec(error)
    error_ec: Function
    #: osslive_error_free(error)
    error_free: Function
    #: osslive_string_free(string)
    string_free: Function
    #: osslive_set_log_callback(callback, user_data, max_level, out_error)
    set_log_callback: Function
    #: osslive_config_new()
    config_new: Function
    #: osslive_config_free(config)
    config_free: Function
    #: osslive_config_set_region(config, region, out_error)
    config_set_region: Function
    #: osslive_config_set_endpoint(config, endpoint, out_error)
    config_set_endpoint: Function
    #: osslive_config_set_bucket(config, bucket, out_error)
    config_set_bucket: Function
    #: osslive_config_set_credentials(config, access_key_id, access_key_secret, security_token, out_error)
    config_set_credentials: Function
    #: osslive_config_load_env(config, out_error)
    config_load_env: Function
    #: osslive_config_load_profile(config, path, profile, out_error)
    config_load_profile: Function
    #: osslive_config_set_internal(config, internal, out_error)
    config_set_internal: Function
    #: osslive_config_set_secure(config, secure, out_error)
    config_set_secure: Function
    #: osslive_config_set_addressing_style(config, style, out_error)
    config_set_addressing_style: Function
    #: osslive_config_set_signature_version(config, version, out_error)
    config_set_signature_version: Function
    #: osslive_config_set_connect_timeout_ms(config, timeout_ms, out_error)
    config_set_connect_timeout_ms: Function
    #: osslive_config_set_timeout_ms(config, timeout_ms, out_error)
    config_set_timeout_ms: Function
    #: osslive_config_set_attempts(config, attempts, out_error)
    config_set_attempts: Function
    #: osslive_config_set_pool_size(config, connections, out_error)
    config_set_pool_size: Function
    #: osslive_config_set_proxy(config, url, out_error)
    config_set_proxy: Function
    #: osslive_config_set_root_certificates(config, pem, out_error)
    config_set_root_certificates: Function
    #: osslive_config_set_user_agent(config, user_agent, out_error)
    config_set_user_agent: Function
    #: osslive_config_set_sign_security_token(config, sign, out_error)
    config_set_sign_security_token: Function
    #: osslive_config_load_default_credentials(config, out_error)
    config_load_default_credentials: Function
    #: osslive_config_set_ecs_role(config, role_name, out_error)
    config_set_ecs_role: Function
    #: osslive_config_set_oidc_role(config, role_arn, oidc_provider_arn, oidc_token_file, session_name, sts_endpoint, out_error)
    config_set_oidc_role: Function
    #: osslive_config_set_credential_process(config, command, out_error)
    config_set_credential_process: Function
    #: osslive_config_set_credentials_uri(config, uri, out_error)
    config_set_credentials_uri: Function
    #: osslive_client_new(config, out_client, out_error)
    client_new: Function
    #: osslive_client_free(client)
    client_free: Function
    #: osslive_client_with_timeout_ms(client, timeout_ms, out_client, out_error)
    client_with_timeout_ms: Function
    #: osslive_client_shutdown(client, out_error)
    client_shutdown: Function
    #: osslive_client_set_credentials(client, access_key_id, access_key_secret, security_token, out_error)
    client_set_credentials: Function
    #: osslive_channel_config_new(name, out_channel_config, out_error)
    channel_config_new: Function
    #: osslive_channel_config_free(channel_config)
    channel_config_free: Function
    #: osslive_channel_config_set_description(channel_config, description, out_error)
    channel_config_set_description: Function
    #: osslive_channel_config_set_status(channel_config, status, out_error)
    channel_config_set_status: Function
    #: osslive_channel_config_set_frag_duration(channel_config, frag_duration_s, out_error)
    channel_config_set_frag_duration: Function
    #: osslive_channel_config_set_frag_count(channel_config, frag_count, out_error)
    channel_config_set_frag_count: Function
    #: osslive_channel_config_set_playlist_name(channel_config, playlist_name, out_error)
    channel_config_set_playlist_name: Function
    #: osslive_channel_config_set_snapshot(channel_config, role_name, dest_bucket, notify_topic, interval_s, out_error)
    channel_config_set_snapshot: Function
    #: osslive_put_channel(client, id, channel_config, out_json, out_error)
    put_channel: Function
    #: osslive_create_channel(client, id, channel_config, out_json, out_error)
    create_channel: Function
    #: osslive_get_channel(client, id, out_json, out_error)
    get_channel: Function
    #: osslive_delete_channel(client, id, out_json, out_error)
    delete_channel: Function
    #: osslive_list_channels(client, prefix, marker, max_keys, out_json, out_error)
    list_channels: Function
    #: osslive_put_channel_status(client, id, status, out_json, out_error)
    put_channel_status: Function
    #: osslive_get_channel_status(client, id, out_json, out_error)
    get_channel_status: Function
    #: osslive_is_channel_live(client, id, out_live, out_error)
    is_channel_live: Function
    #: osslive_wait_until_live(client, id, limit_ms, out_json, out_error)
    wait_until_live: Function
    #: osslive_wait_until_idle(client, id, limit_ms, out_json, out_error)
    wait_until_idle: Function
    #: osslive_wait_until_deleted(client, id, limit_ms, out_error)
    wait_until_deleted: Function
    #: osslive_get_channel_history(client, id, out_json, out_error)
    get_channel_history: Function
    #: osslive_analyze_history(client, id, days, out_json, out_error)
    analyze_history: Function
    #: osslive_create_vod(client, id, name, start_time, end_time, out_json, out_error)
    create_vod: Function
    #: osslive_get_vod(client, id, start_time, end_time, out_playlist, out_error)
    get_vod: Function
    #: osslive_get_rtmp_url(client, id, expires_s, params, n_params, out_url, out_error)
    get_rtmp_url: Function
    #: osslive_get_publish_url(client, id, expires_s, params, n_params, out_json, out_error)
    get_publish_url: Function
    #: osslive_get_play_url(client, id, playlist, expires_s, out_url, out_error)
    get_play_url: Function
    #: osslive_sweep_options_new()
    sweep_options_new: Function
    #: osslive_sweep_options_free(sweep_options)
    sweep_options_free: Function
    #: osslive_sweep_options_set_max_parallel(sweep_options, max_parallel, out_error)
    sweep_options_set_max_parallel: Function
    #: osslive_sweep_options_set_rate(sweep_options, calls_per_second, out_error)
    sweep_options_set_rate: Function
    #: osslive_sweep_options_set_time_limit_ms(sweep_options, timeout_ms, out_error)
    sweep_options_set_time_limit_ms: Function
    #: osslive_sweep_options_set_interval_ms(sweep_options, interval_ms, out_error)
    sweep_options_set_interval_ms: Function
    #: osslive_sweep_options_set_min_bandwidth(sweep_options, bytes_per_second, out_error)
    sweep_options_set_min_bandwidth: Function
    #: osslive_sweep_options_set_frame_rate_drop(sweep_options, part, out_error)
    sweep_options_set_frame_rate_drop: Function
    #: osslive_monitor_channels(client, ids, n_ids, sweep_options, progress, user_data, out_json, out_error)
    monitor_channels: Function
    #: osslive_sweep_channels(client, ids, n_ids, sweep_options, on_status, user_data, out_error)
    sweep_channels: Function
    #: osslive_put_channels(client, ids, channel_configs, n_ids, sweep_options, progress, user_data, out_json, out_error)
    put_channels: Function
    #: osslive_channel_monitor_new(client, ids, n_ids, sweep_options, out_monitor, out_error)
    channel_monitor_new: Function
    #: osslive_channel_monitor_free(monitor)
    channel_monitor_free: Function
    #: osslive_channel_monitor_next_changes(monitor, out_json, out_error)
    channel_monitor_next_changes: Function
    #: osslive_channel_monitor_last_sweep(monitor, out_json, out_error)
    channel_monitor_last_sweep: Function
    #: osslive_channel_monitor_stop(monitor, out_error)
    channel_monitor_stop: Function
    #: osslive_create_highlights(client, id, highlights, n_highlights, progress, user_data, out_json, out_error)
    create_highlights: Function
    #: osslive_download_recording(client, id, download, progress, user_data, out_json, out_error)
    download_recording: Function
    #: osslive_diagnose(client, id, publish_url, play_url, origin, progress, user_data, out_json, out_error)
    diagnose: Function
