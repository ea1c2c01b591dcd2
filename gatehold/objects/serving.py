"""The bucket of one gateway, where its configuration names one."""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gatehold.config.recordings import RecordingsSpec
from gatehold.objects.ledger import Ledger
from gatehold.store import Store
from gatehold.store.legal_holds import holds
from policy.model import SessionId
from recordings.acts import GatewayMove, gateway_event
from recordings.errors import RecorderUnavailable
from recordings.recorder import Recorder

if TYPE_CHECKING:
    from gatehold.objects.uploading import Uploading


class Objects:
    """Copies finished files; does nothing with ``url: file``."""

    def __init__(
        self,
        spec: RecordingsSpec,
        data_dir: Path,
        *,
        store: Store,
        recorder: Recorder,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Opens nothing."""
        self._spec = spec
        self._data_dir = data_dir
        self._store = store
        self._recorder = recorder
        self._clock = clock
        self._uploading: Uploading | None = None

    def start(self) -> None:
        """Begin, once the recorder has; waits for nobody. Raises OSError where the ledger cannot be read."""
        if self._spec.url != "file":
            self._uploading = self.uploading()
            self._uploading.start()

    async def close(self) -> None:
        """End, once the recorder has."""
        if self._uploading is not None:
            await self._uploading.close()

    def uploading(self) -> "Uploading":
        """What copies, not begun yet."""
        from gatehold.objects.dropping import Dropping  # noqa: PLC0415 - brings a client of object stores
        from gatehold.objects.place import ObjectPlace  # noqa: PLC0415 - the same
        from gatehold.objects.uploading import Uploading  # noqa: PLC0415 - the same

        place, ledger, dropping = ObjectPlace(self._spec), Ledger(self._data_dir, self._spec.url), None
        if self._spec.object_store.delete_local:
            dropping = Dropping(
                self._data_dir, place, ledger, recorder=self._recorder, held=self._held, clock=self._clock
            )
        return Uploading(self._data_dir, place, ledger, tell=self._tell, dropping=dropping)

    def _held(self) -> frozenset[str]:
        with self._store.reading() as connection:
            return frozenset(each.session for each in holds(connection))

    async def _tell(self, move: GatewayMove, message: str, details: dict[str, object]) -> None:
        event = gateway_event(move, time=self._clock(), message=message, details=details)
        with contextlib.suppress(RecorderUnavailable):  # the recorder says itself what is wrong
            await self._recorder.append(events=[event], session=SessionId(""))
