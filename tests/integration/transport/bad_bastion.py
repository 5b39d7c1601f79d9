#!/usr/bin/python3 -W ignore
"""A bastion that forwards connections and does something wrong, which is chosen by the user's name (fleet hosts do not
forward; a real sshd refuses nothing for lack of room and answers every open).

    bad_bastion.py KEYFILE AUTHORIZED PORTFILE [LOG]

    good         forwards
    hang         never answers an open            hang-N     answers the first N of all connections
    dead-N       never answers an open to an address that ends with .N, forwards all others
    room-N       refuses more than N at a time with "resource shortage"
    none         refuses every one so             forbid     "administratively prohibited"
    lie-PORT     connects to 127.0.0.1 PORT, wherever one wants to
    early-N      closes a connection before the login while N others are not yet logged in
    die-MS       cuts each connection so long after its first open
    slow-MS      each open takes so long
    mute-MS      takes no byte and gives none any more, so long after the first open
    close-N      closes a forwarded connection after N bytes from the target
    window-N     gives each connection a window of N bytes (0: and never more)
    packet-N     takes N bytes a packet at most
    over         sends as if our window had no end
    wrap         makes its own window larger until 32 bits are all zero

LOG gets a line for each login and open. It listens on 127.0.0.1, on a free port, which it writes to PORTFILE."""
import asyncio
import gc
import sys
import time

import asyncssh
from asyncssh.packet import UInt32

# A coroutine that is collected runs on to its end, and would encrypt with a cipher that was collected before it.
gc.disable()

SHORTAGE, PROHIBITED = asyncssh.OPEN_RESOURCE_SHORTAGE, asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED
MSG_CHANNEL_WINDOW_ADJUST = 93
WINDOW, PACKET = 1 << 21, 1 << 15
log = None
opens = {}        # user → opens in all
carried = {}      # user → connections now
unauthenticated = 0


def say(*words):
    if log:
        print(f"{time.monotonic():.3f}", *words, file=log, flush=True)


class Forward:
    """Both directions of one connection, which is counted while it lasts."""

    def __init__(self, user, limit):
        self.user, self.limit = user, limit
        carried[user] = carried.get(user, 0) + 1

    async def connect(self, host, port):
        try:
            self.reader, self.writer = await asyncio.open_connection(host, port)
        except OSError as error:
            carried[self.user] -= 1
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, str(error))
        return self

    async def copy(self, reader, writer, limit=None):
        left = limit
        try:
            while left is None or left > 0:
                data = await reader.read(32768 if left is None else min(left, 32768))
                if not data:
                    break
                writer.write(data)
                await writer.drain()
                left = None if left is None else left - len(data)
            writer.write_eof()
        except (OSError, asyncssh.Error):
            pass

    async def __call__(self, reader, writer):
        try:
            await asyncio.gather(self.copy(reader, self.writer), self.copy(self.reader, writer, self.limit))
        finally:
            self.writer.close()
            carried[self.user] -= 1
            writer.close()


class OverChannel(asyncssh.SSHTCPChannel):
    def process_open(self, send_chan, send_window, send_pktsize, session):
        super().process_open(send_chan, 1 << 40, send_pktsize, session)


class WrapChannel(asyncssh.SSHTCPChannel):
    async def _finish_open_request(self, result):
        await super()._finish_open_request(result)
        self.send_packet(MSG_CHANNEL_WINDOW_ADJUST, UInt32((1 << 32) - WINDOW))


class Server(asyncssh.SSHServer):
    def connection_made(self, conn):
        global unauthenticated
        self.conn, self.user, self.waiting, self.asked = conn, "", True, False
        unauthenticated += 1

    def logged_in(self):
        global unauthenticated
        if self.waiting:
            self.waiting = False
            unauthenticated -= 1

    def connection_lost(self, exc):
        self.logged_in()

    def begin_auth(self, username):
        self.user = username
        self.verb, _, number = username.partition("-")
        self.number = int(number) if number else 0
        if self.verb == "early" and unauthenticated > self.number:
            say("early", username)
            self.conn.abort()
        return True

    def public_key_auth_supported(self):
        return True

    def validate_public_key(self, username, key):
        return key.public_data in authorized

    def auth_completed(self):
        self.logged_in()
        say("login", self.user)

    def mute(self):
        say("mute", self.user)
        self.conn._transport.pause_reading()
        self.conn._transport.write = lambda data: None

    def first_open(self):
        loop = asyncio.get_event_loop()
        if self.verb == "die":
            loop.call_later(self.number / 1000, self.conn.abort)
        if self.verb == "mute":
            loop.call_later(self.number / 1000, self.mute)

    async def answer(self, nth, host, port):
        if self.verb == "slow":
            await asyncio.sleep(self.number / 1000)
        if self.verb == "hang" and nth > self.number or self.verb == "dead" and host.endswith(f".{self.number}"):
            await asyncio.sleep(3600)
        if self.verb == "none" or self.verb == "room" and carried.get(self.user, 0) >= self.number:
            raise asyncssh.ChannelOpenError(SHORTAGE, "no room")
        if self.verb == "forbid":
            raise asyncssh.ChannelOpenError(PROHIBITED, "no")
        if self.verb == "lie":
            host, port = "127.0.0.1", self.number
        forward = Forward(self.user, self.number if self.verb == "close" else None)
        return asyncssh.stream.SSHTCPStreamSession(await forward.connect(host, port))

    def channel(self):
        kind = {"over": OverChannel, "wrap": WrapChannel}.get(self.verb, asyncssh.SSHTCPChannel)
        window = self.number if self.verb == "window" else WINDOW
        packet = self.number if self.verb == "packet" else PACKET
        return kind(self.conn, asyncio.get_event_loop(), None, "strict", window, packet)

    def connection_requested(self, host, port, orig_host, orig_port):
        opens[self.user] = opens.get(self.user, 0) + 1
        say("open", self.user, host, port)
        if not self.asked:
            self.asked = True
            self.first_open()
        return self.channel(), self.answer(opens[self.user], host, port)


async def main():
    server = await asyncssh.listen("127.0.0.1", 0, server_factory=Server, server_host_keys=[sys.argv[1]], backlog=500,
                                   login_timeout=60)
    with open(sys.argv[3], "w", encoding="ascii") as out:
        print(server.sockets[0].getsockname()[1], file=out)
    await asyncio.sleep(86400)


with open(sys.argv[2], "rb") as lines:
    authorized = {asyncssh.import_public_key(line).public_data for line in lines}
if len(sys.argv) > 4:
    log = open(sys.argv[4], "a", encoding="utf-8")
asyncio.run(main())
