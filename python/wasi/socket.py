_NO_SOCKETS = "sockets are not available in WebAssembly"
_socket_of_a_descriptor = socket


class socket(_socket_of_a_descriptor):
    def __init__(self, family=-1, type=-1, proto=-1, fileno=None):
        if fileno is None:
            raise OSError(errno.ENOTSUP, _NO_SOCKETS)
        super().__init__(family, type, proto, fileno)


def getaddrinfo(host, port, family=0, type=0, proto=0, flags=0):
    raise OSError(errno.ENOTSUP, _NO_SOCKETS)
