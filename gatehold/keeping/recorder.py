"""The recorder as a configuration wants it."""

from pathlib import Path

from gatehold.config.recordings import RecordingsSpec
from recordings.journal import JournalLimits
from recordings.recorder import Recorder, RecorderLimits
from recordings.writer import WriterLimits


def recorder_of(spec: RecordingsSpec, data_dir: Path) -> Recorder:
    """A recorder that is not started yet; flow files end with the journal file that announced them, so by age too."""
    return Recorder(data_dir, mode=spec.mode, sync=spec.sync, limits=RecorderLimits(writer=writer_limits(spec)))


def writer_limits(spec: RecordingsSpec) -> WriterLimits:
    """When files roll over."""
    size, age = spec.rollover.size, spec.rollover.age
    return WriterLimits(part_size=size, journal=JournalLimits(file_size=size, file_age=age))
