"""RTMP live channels on Alibaba Cloud OSS.

Create a channel, hand a signed publish URL to an encoder, see whether it is
live, read its history, and cut VOD playlists from the recording::

    import osslive

    with osslive.Client.from_env(region="cn-hangzhou", bucket="my-bucket") as client:
        client.put_channel("main-stage", osslive.ChannelConfig("Main stage", frag_duration=2))
        print(client.get_rtmp_url("main-stage", expires=3600))

The package includes a shared library that does the work. It is loaded on first
use; :class:`LibraryError` lists what was tried.
"""

from . import _codes
from ._codes import *  # noqa: F403
from ._library import LibraryError
from ._library import library as _loaded
from .client import Client
from .diagnosis import Check, Diagnosis, Verdict
from .errors import (
    BadReply,
    CallTimeout,
    ConfigError,
    ConnectionFailed,
    CredentialsError,
    ErrorKind,
    FileFailed,
    InvalidArgument,
    LibraryFault,
    OssLiveError,
    ServiceError,
    Stopped,
)
from .models import (
    Audio,
    Change,
    ChangeKind,
    Channel,
    ChannelConfig,
    ChannelHistory,
    ChannelList,
    ChannelReport,
    ChannelState,
    ChannelStatus,
    ChannelSummary,
    ChannelUrls,
    Credentials,
    Done,
    Download,
    FailedChannel,
    Gap,
    Highlight,
    HighlightResult,
    HistoryAnalysis,
    PublishUrl,
    PutResult,
    ResponseInfo,
    Sample,
    SessionRecord,
    Snapshot,
    StreamState,
    Sweep,
    Video,
)
from .monitor import Monitor
from .sources import CredentialProcess, CredentialsUri, EcsRole, OidcRole

#: The version of this package and of the library in it.
__version__ = "0.1.0"


def library_version() -> str:
    """Returns the version of the loaded shared library."""
    version: bytes = _loaded().version()
    return version.decode()


def library_path() -> str:
    """Returns the path of the loaded shared library."""
    return _loaded().path


__all__ = [
    "Audio",
    "BadReply",
    "CallTimeout",
    "Change",
    "ChangeKind",
    "Channel",
    "ChannelConfig",
    "ChannelHistory",
    "ChannelList",
    "ChannelReport",
    "ChannelState",
    "ChannelStatus",
    "ChannelSummary",
    "ChannelUrls",
    "Check",
    "Client",
    "ConfigError",
    "ConnectionFailed",
    "CredentialProcess",
    "Credentials",
    "CredentialsError",
    "CredentialsUri",
    "Diagnosis",
    "Done",
    "Download",
    "EcsRole",
    "ErrorKind",
    "FailedChannel",
    "FileFailed",
    "Gap",
    "Highlight",
    "HighlightResult",
    "HistoryAnalysis",
    "InvalidArgument",
    "LibraryError",
    "LibraryFault",
    "Monitor",
    "OidcRole",
    "OssLiveError",
    "PublishUrl",
    "PutResult",
    "ResponseInfo",
    "Sample",
    "ServiceError",
    "SessionRecord",
    "Snapshot",
    "Stopped",
    "StreamState",
    "Sweep",
    "Verdict",
    "Video",
    "__version__",
    "library_path",
    "library_version",
]
__all__ += _codes.__all__
