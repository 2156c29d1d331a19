"""Plots of a channel's history and bit rate. They need matplotlib: ``pip install osslive[plot]``.

::

    from itertools import islice
    import osslive.plot

    osslive.plot.history(client.get_channel_history("main-stage"))
    osslive.plot.bit_rate(islice(client.samples("main-stage"), 60))
"""

# matplotlib does not annotate its keyword arguments.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Iterable, Optional

from .models import ChannelHistory, Sample

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# The time from which matplotlib counts days.
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def history(history: ChannelHistory, axes: Optional[Axes] = None) -> Axes:
    """Plots a bar per session, in one row per publisher's address."""
    axes = _axes(axes)
    day = timedelta(days=1)
    rows = list(dict.fromkeys(record.remote_addr for record in history.records))
    for record in history.records:
        row = rows.index(record.remote_addr)
        start = (record.start_time - _EPOCH) / day
        axes.barh(row, record.duration / day, left=start, height=0.6, color="C0")
    axes.set_yticks(range(len(rows)), rows)
    axes.xaxis_date()
    axes.set_title("Sessions")
    return axes


def bit_rate(samples: Iterable[Sample], axes: Optional[Axes] = None) -> Axes:
    """Plots video and audio in kilobits per second; 0 while the channel is not live."""
    axes = _axes(axes)
    collected = list(samples)
    times = [(sample.time - _EPOCH) / timedelta(days=1) for sample in collected]
    for label, part in (("video", "video"), ("audio", "audio")):
        measured = (getattr(sample.status, part) for sample in collected)
        rates = [0.0 if one is None else one.bandwidth * 8 / 1000 for one in measured]
        axes.plot(times, rates, label=label)
    axes.xaxis_date()
    axes.set_ylabel("kbit/s")
    axes.set_ylim(bottom=0)
    axes.legend()
    axes.set_title("Bit rate")
    return axes


def _axes(axes: Optional[Axes]) -> Axes:
    if axes is not None:
        return axes
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError("plots need matplotlib: pip install 'osslive[plot]'") from error
    return pyplot.subplots()[1]
