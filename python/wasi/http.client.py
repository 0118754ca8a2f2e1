class HTTPSConnection(HTTPConnection):
    """As far as the socket, which there is not."""

    default_port = HTTPS_PORT

    def __init__(self, host, port=None, *, context=None, **options):
        super().__init__(host, port, **options)


def _create_https_context(http_version):
    return None


__all__.append("HTTPSConnection")
