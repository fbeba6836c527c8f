"""What Gradio keeps of each open page, made small and let go.

Gradio copies the settings of all widgets for every page that is loaded (730 KiB here), for links that this studio does
not offer, and keeps the copy after the page is closed, of up to 10,000 pages. Here, what is chosen on a page stands in
hidden fields of the page itself, so nothing is lost when its session is.
"""

from __future__ import annotations

from types import SimpleNamespace

from gradio.state_holder import SessionState, StateHolder

KEPT = 256  # pages at a time; the one that was quiet for longest goes first


class Sessions(StateHolder):
    """One small session for each open page."""

    def __getitem__(self, session_id: str) -> SessionState:
        if session_id not in self.session_data:
            bare = SimpleNamespace(default_config=self.blocks.default_config, blocks={})
            self.session_data[session_id] = SessionState(bare)  # type: ignore[arg-type]
        return super().__getitem__(session_id)

    def delete_all_expired_state(self) -> None:
        """Called by Gradio now and then: closed pages are forgotten."""
        for session_id, session in list(self.session_data.items()):
            if session.is_closed:
                self.session_data.pop(session_id, None)
                self.time_last_used.pop(session_id, None)
