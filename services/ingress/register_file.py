"""The register of platforms as a file: a token that is revoked ends at once."""

from services.ingress.platforms import MAX_REGISTER_BYTES, Register, parse_register
from services.runtime.private_file import PrivateFile


class RegisterFile(PrivateFile[Register]):
    """Who may post, as of now."""

    service = "ingress"
    variable = "SANCTUAIRE_PLATFORMS_FILE"
    remedy = "make one with `sanctuaire ingress token NAME --source SOURCE`"
    most_bytes = MAX_REGISTER_BYTES
    parse = staticmethod(parse_register)
