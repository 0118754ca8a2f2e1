_NO_SOCKETS = "sockets are not available in WebAssembly"
_socket_of_a_descriptor = socket


class socket(_socket_of_a_descriptor):
    def __init__(self, family=-1, type=-1, proto=-1, fileno=None):
        if fileno is None:
            raise OSError(errno.ENOTSUP, _NO_SOCKETS)
        super().__init__(family, type, proto, fileno)


def getaddrinfo(*arguments, **options):
    raise OSError(errno.ENOTSUP, _NO_SOCKETS)


gethostbyaddr = gethostbyname = gethostbyname_ex = getnameinfo = getaddrinfo
getprotobyname = getservbyname = getservbyport = if_indextoname = if_nameindex = if_nametoindex = getaddrinfo


def gethostname():
    return "localhost"


def inet_ntoa(packed_ip):
    return inet_ntop(AF_INET, packed_ip)
