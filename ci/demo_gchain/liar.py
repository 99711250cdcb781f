"""A gateway that lies about what the accounts hold: headers with one micro-token more, well signed with the GL-node's own key, shown to every validator.

It stands between the gateway and one validator and passes on what they say; before the first proposal of each header goes on, all validators see the lie.
"""
import json
import select
import socket
import threading
import time

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

VOTES, PROPOSAL, ACCOUNT_VOTE = 0x07, 0x11, 0x23
NUMBER, TOTAL_VALUE = 2, 14  # places in a header


def dumps(item):
    return cbor2.dumps(item, canonical=True)


def richer(macro, seed):
    """The same macro transaction with one micro-token more, signed by the same key; and the number of its header."""
    protected, unprotected, payload, _ = cbor2.loads(macro)
    header = cbor2.loads(payload)
    header[TOTAL_VALUE] += 1
    payload = dumps(header)
    message = dumps(["Signature1", protected, dumps(["iotedge/macro/1", header[1]]), payload])
    signature = Ed25519PrivateKey.from_private_bytes(seed).sign(message)
    return header[NUMBER], dumps([protected, unprotected, payload, signature])


class Liar(threading.Thread):
    """`port` is where the gateway believes validator 0 to be."""

    def __init__(self, gateway, validators, port):
        super().__init__(daemon=True)
        self.seed = bytes.fromhex(json.loads((gateway.folder / "device.json").read_text())["seed"])
        self.gateway = ("127.0.0.1", gateway.port)
        self.validators = [("127.0.0.1", v.port) for v in validators]
        self.between, self.lies = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        self.between.bind(("127.0.0.1", port))
        self.lies.bind(("127.0.0.1", 0))
        self.told = set()  # numbers of headers
        self.believed = []  # (header, port of the validator that voted for the lie)
        self.ending = False

    def run(self):
        while not self.ending:
            ready, _, _ = select.select([self.between, self.lies], [], [], 0.2)
            for s in ready:
                frame, sender = s.recvfrom(2048)
                if s is self.lies:
                    if len(frame) > 4 and frame[4] in (VOTES, ACCOUNT_VOTE):
                        self.believed.append((max(self.told), sender[1]))
                elif sender == self.gateway:
                    if len(frame) > 4 and frame[4] == PROPOSAL:
                        self.lie(frame)
                    s.sendto(frame, self.validators[0])
                elif sender == self.validators[0]:
                    s.sendto(frame, self.gateway)

    def lie(self, frame):
        macro, credited = cbor2.loads(frame[5:])
        number, false = richer(macro, self.seed)
        if number in self.told:
            return
        self.told.add(number)
        frame = frame[:5] + dumps([false, credited])
        for _ in range(3):
            for validator in self.validators:
                self.lies.sendto(frame, validator)
            time.sleep(0.05)

    def end(self):
        self.ending = True
        self.join(3)
