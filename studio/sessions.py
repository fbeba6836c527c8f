"""What Gradio keeps of each page that has called it, made small and removed when it is not used.

Gradio copies the settings of all widgets for every page (730 KiB here), for links that this studio does not offer,
and keeps the copies of up to 10,000 pages. Here the page itself holds what is chosen, in hidden fields, so nothing is
lost when its session is removed.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace

from gradio.state_holder import SessionState, StateHolder

MAX_SESSIONS = 256  # at a time; the one unused for longest is removed first
UNUSED = timedelta(minutes=10)  # after which a page's session is removed


class Sessions(StateHolder):
    """One small session for each page in use."""

    def __getitem__(self, session_id: str) -> SessionState:
        if session_id not in self.session_data:
            bare = SimpleNamespace(default_config=self.blocks.default_config, blocks={})
            self.session_data[session_id] = SessionState(bare)  # type: ignore[arg-type]
        return super().__getitem__(session_id)

    def delete_all_expired_state(self) -> None:
        """Called by Gradio every second."""
        for session_id, used in list(self.time_last_used.items()):
            if datetime.now() - used > UNUSED:
                self.session_data.pop(session_id, None)
                self.time_last_used.pop(session_id, None)
