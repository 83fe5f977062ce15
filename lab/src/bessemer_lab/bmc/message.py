"""Errors in Redfish's shape, with the message identifiers of DMTF's Base registry.

Source: DMTF DSP0266, "Error responses"; DSP8011, Base message registry.
"""

from typing import Any

_REGISTRY = "Base.1.5"


class RedfishError(Exception):
    """A request the BMC refuses: an HTTP status and one message of the Base registry."""

    def __init__(
        self,
        status: int,
        message_id: str,
        text: str,
        *,
        args: tuple[str, ...] = (),
        prop: str = "",
        resolution: str = "",
    ) -> None:
        """``prop`` is the JSON pointer of the property the message is about."""
        super().__init__(text)
        self.status = status
        self.message_id = message_id
        self.text = text
        self.message_args = args
        self.prop = prop
        self.resolution = resolution

    def to_json(self) -> dict[str, Any]:
        """The body of the answer."""
        info: dict[str, Any] = {
            "@odata.type": "#Message.v1_1_1.Message",
            "MessageId": f"{_REGISTRY}.{self.message_id}",
            "Message": self.text,
            "MessageArgs": list(self.message_args),
            "MessageSeverity": "Critical" if self.status >= 500 else "Warning",
            "Resolution": self.resolution or "Correct the request and send it again.",
        }
        if self.prop:
            info["RelatedProperties"] = [self.prop]
        return {
            "error": {"code": info["MessageId"], "message": self.text, "@Message.ExtendedInfo": [info]},
        }


def no_session() -> RedfishError:
    return RedfishError(
        401, "NoValidSession", "There is no valid session for this request.", resolution="Log in first."
    )


def login_failed(path: str) -> RedfishError:
    return RedfishError(
        401,
        "ResourceAtUriUnauthorized",
        f"Access to {path} was denied: the user name or the password is wrong.",
        args=(path, "wrong user name or password"),
        resolution="Use the right credentials.",
    )


def not_found(path: str) -> RedfishError:
    return RedfishError(404, "ResourceMissingAtURI", f"There is no resource at {path}.", args=(path,))


def method_not_allowed(method: str, path: str) -> RedfishError:
    return RedfishError(405, "GeneralError", f"{path} does not support {method}.")


def malformed_json() -> RedfishError:
    return RedfishError(400, "MalformedJSON", "The request body is not JSON.")


def not_an_object() -> RedfishError:
    return RedfishError(400, "UnrecognizedRequestBody", "The request body is not a JSON object.")


def empty_json() -> RedfishError:
    return RedfishError(400, "EmptyJSON", "The request body names no property.")


def query_not_supported() -> RedfishError:
    return RedfishError(501, "QueryNotSupported", "Query parameters are not supported by this service.")


def property_missing(name: str) -> RedfishError:
    return RedfishError(
        400, "PropertyMissing", f"The property {name} is required.", args=(name,), prop=f"/{name}"
    )


def property_unknown(name: str) -> RedfishError:
    return RedfishError(
        400, "PropertyUnknown", f"The property {name} is not known.", args=(name,), prop=f"/{name}"
    )


def property_read_only(name: str) -> RedfishError:
    text = f"The property {name} is read only."
    return RedfishError(400, "PropertyNotWritable", text, args=(name,), prop=f"/{name}")


def property_wrong_type(name: str, value: object) -> RedfishError:
    text = f"The value {value!r} of the property {name} is of another type than the property."
    return RedfishError(400, "PropertyValueTypeError", text, args=(str(value), name), prop=f"/{name}")


def property_not_in_list(name: str, value: str) -> RedfishError:
    text = f"The value {value!r} of the property {name} is not one of those allowed."
    return RedfishError(400, "PropertyValueNotInList", text, args=(value, name), prop=f"/{name}")


def parameter_missing(action: str, name: str) -> RedfishError:
    text = f"The action {action} requires the parameter {name}."
    return RedfishError(400, "ActionParameterMissing", text, args=(action, name), prop=f"/{name}")


def parameter_unknown(action: str, name: str) -> RedfishError:
    text = f"The action {action} does not know the parameter {name}."
    return RedfishError(400, "ActionParameterUnknown", text, args=(action, name), prop=f"/{name}")


def parameter_wrong_type(action: str, name: str, value: object) -> RedfishError:
    text = f"The value {value!r} of the parameter {name} of the action {action} is of another type."
    return RedfishError(
        400, "ActionParameterValueTypeError", text, args=(str(value), name, action), prop=f"/{name}"
    )


def parameter_wrong_value(action: str, name: str, value: str) -> RedfishError:
    text = f"The value {value!r} of the parameter {name} of the action {action} cannot be used."
    return RedfishError(
        400, "ActionParameterValueFormatError", text, args=(value, name, action), prop=f"/{name}"
    )


def in_standby(text: str) -> RedfishError:
    return RedfishError(409, "ResourceInStandby", text, resolution="Power the system on first.")


def in_use(text: str) -> RedfishError:
    return RedfishError(409, "ResourceInUse", text, resolution="Release the resource first.")


def no_connection(url: str, reason: str) -> RedfishError:
    text = f"No connection to {url}: {reason}."
    return RedfishError(400, "CouldNotEstablishConnection", text, args=(url,), prop="/Image")


def wrong_protocol(url: str) -> RedfishError:
    text = f"The protocol of {url} is not supported."
    return RedfishError(400, "SourceDoesNotSupportProtocol", text, args=(url, "HTTP, HTTPS"), prop="/Image")


def precondition_failed() -> RedfishError:
    return RedfishError(412, "PreconditionFailed", "The resource has changed since it was read.")


def session_limit() -> RedfishError:
    return RedfishError(
        503,
        "SessionLimitExceeded",
        "All sessions are taken.",
        resolution="Close sessions that are not needed.",
    )


def subscription_limit() -> RedfishError:
    return RedfishError(
        503,
        "EventSubscriptionLimitExceeded",
        "All event subscriptions are taken.",
        resolution="Delete subscriptions that are not needed.",
    )


def internal_error() -> RedfishError:
    return RedfishError(500, "InternalError", "The service failed on this request.", resolution="Try again.")


def injected(status: int) -> RedfishError:
    """The answer to a request a test asked to fail."""
    return RedfishError(status, "GeneralError", f"A fault was injected (status {status}).")
