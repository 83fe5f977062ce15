"""Logging in and out.

Source: DMTF SessionService.v1_1_8 and Session.v1_4_0; DSP0266, "Session login".
"""

from bessemer_lab.bmc import message
from bessemer_lab.bmc.body import read_text, require_writable
from bessemer_lab.bmc.fault import Faults
from bessemer_lab.bmc.path import SESSION_SERVICE, SESSIONS
from bessemer_lab.bmc.resource import NO_CONTENT, Answer, Json, Resource, collection_body, link
from bessemer_lab.bmc.session import MAX_TIMEOUT_S, MIN_TIMEOUT_S, Access, Session, SessionLimit


class SessionService:
    """The session resources; sessions come and go, so the server asks ``find`` for them."""

    def __init__(self, access: Access, faults: Faults) -> None:
        self._access = access
        self._faults = faults

    def build(self) -> list[Resource]:
        return [
            Resource(path=SESSION_SERVICE, get=self._read, patch=self._write),
            Resource(path=SESSIONS, get=self._read_sessions, post=self._log_in),
        ]

    def find(self, path: str) -> Resource | None:
        """The resource of a session that is open."""
        number = path.removeprefix(f"{SESSIONS}/")
        session = self._access.find_session(number) if number != path else None
        if session is None:
            return None

        async def log_out() -> Answer:
            self._access.close_session(number)
            return NO_CONTENT

        return Resource(path=path, get=lambda: _read_session(session), delete=log_out)

    def _read(self) -> Json:
        return {
            "@odata.id": SESSION_SERVICE,
            "@odata.type": "#SessionService.v1_1_8.SessionService",
            "Id": "SessionService",
            "Name": "Session Service",
            "ServiceEnabled": True,
            "SessionTimeout": self._access.timeout_s,
            "Status": {"State": "Enabled", "Health": "OK"},
            "Sessions": link(SESSIONS),
        }

    async def _write(self, body: Json) -> Answer:
        require_writable(body, {"SessionTimeout"}, self._read())
        timeout = body["SessionTimeout"]
        if not isinstance(timeout, int) or isinstance(timeout, bool):
            raise message.property_wrong_type("SessionTimeout", timeout)
        if not MIN_TIMEOUT_S <= timeout <= MAX_TIMEOUT_S:
            raise message.property_not_in_list("SessionTimeout", str(timeout))
        self._access.timeout_s = timeout
        return Answer(self._read())

    def _read_sessions(self) -> Json:
        members = [f"{SESSIONS}/{session.number}" for session in self._access.list_sessions()]
        return collection_body(SESSIONS, "SessionCollection", "Sessions", members)

    async def _log_in(self, body: Json) -> Answer:
        username, password = read_text(body, "UserName"), read_text(body, "Password")
        if self._faults.refuses_logins or not self._access.is_password(username, password):
            raise message.login_failed(SESSIONS)
        try:
            session, token = self._access.open_session()
        except SessionLimit:
            raise message.session_limit() from None
        path = f"{SESSIONS}/{session.number}"
        return Answer(_read_session(session), status=201, headers={"X-Auth-Token": token, "Location": path})


def _read_session(session: Session) -> Json:
    return {
        "@odata.id": f"{SESSIONS}/{session.number}",
        "@odata.type": "#Session.v1_4_0.Session",
        "Id": session.number,
        "Name": "User Session",
        "UserName": session.user,
        "SessionType": "Redfish",
        "CreatedTime": session.created.isoformat(timespec="seconds"),
    }
