"""What can go wrong with the embedded broker, beside the tree of `services.contract.errors`."""

from services.contract.errors import Unusable


class BrokerError(Unusable):
    """The embedded broker cannot run here, or was asked for something while it does not run."""

    code = "broker"
