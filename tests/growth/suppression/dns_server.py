"""A DNS server on this machine that knows a few TXT records."""

import socketserver
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rrset


class _Handler(socketserver.BaseRequestHandler):
    def handle(self):
        wire, socket = self.request
        query = dns.message.from_wire(wire)
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        name = query.question[0].name
        texts = self.server.records.get(  # type: ignore[attr-defined]
            name.to_text(omit_final_dot=True)
        )
        if texts is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
        elif texts:
            # A text longer than 255 bytes is several strings of a record.
            parts = [[text[i : i + 255] for i in range(0, len(text), 255)] for text in texts]
            quoted = [" ".join(f'"{part}"' for part in strings) for strings in parts]
            response.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", *quoted))
        socket.sendto(response.to_wire(), self.client_address)


@contextmanager
def dns_server(records: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Answer with these TXT records by name; yield the address of the server."""
    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), _Handler) as server:
        server.records = records  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
