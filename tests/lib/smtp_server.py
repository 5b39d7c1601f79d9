#!/usr/bin/env python3
"""Mail servers that say what a test wants, for shell tests.

smtp_server.py CONFIG READY LOG

CONFIG is JSON, a list of {"name", "address", "cert", "key", "say"}. Each listens on a port of the kernel's choice (or "port"); when
all do, READY gets lines NAME PORT. LOG gets a line NAME COMMAND for every command. cert: STARTTLS is offered and taken.

say: what is answered to banner, ehlo, helo, starttls, mail, rcpt, quit, data, in the place of what is usual, as it stands
(Latin-1, with its own CR LF). In it <CUT> closes the connection, <HANG> says nothing more, <FLOOD> sends its line for ever,
<BYTE> in front: each byte in a packet of its own.
"""
import asyncio
import json
import ssl
import sys

USUAL = {
    "banner": "220 mx.test ESMTP\r\n",
    "ehlo": "250-mx.test\r\n250-SIZE 10240000\r\n250 8BITMIME\r\n",
    "ehlo-tls": "250-mx.test\r\n250-SIZE 10240000\r\n250-STARTTLS\r\n250 8BITMIME\r\n",
    "helo": "250 mx.test\r\n",
    "starttls": "220 2.0.0 Ready to start TLS\r\n",
    "mail": "250 2.1.0 Ok\r\n",
    "rcpt": "250 2.1.5 Ok\r\n",
    "data": "354 go on\r\n",
    "quit": "221 2.0.0 Bye\r\n",
}


class Session:
    def __init__(self, server, reader, writer, log):
        self.server, self.reader, self.writer, self.log = server, reader, writer, log
        self.secure = False

    def text(self, stage):
        said = self.server.get("say", {})
        if stage == "ehlo" and stage not in said and self.server.get("cert") and not self.secure:
            stage = "ehlo-tls"
        return said.get(stage, USUAL.get(stage, "500 5.5.2 what?\r\n"))

    async def put(self, text):
        slowly = text.startswith("<BYTE>")
        data = text.removeprefix("<BYTE>").encode("latin-1")
        for i in range(0, len(data), 1 if slowly else len(data) or 1):
            self.writer.write(data[i:i + 1] if slowly else data)
            await self.writer.drain()
            if slowly:
                await asyncio.sleep(0)

    async def say(self, stage):
        """False: it is over."""
        text, action = self.text(stage), ""
        for name in ("<CUT>", "<HANG>", "<FLOOD>"):
            if name in text:
                text, action = text.replace(name, ""), name
        await self.put(text)
        while action == "<FLOOD>":
            await self.put(text)
        if action == "<HANG>":
            await self.reader.read()
        return action == ""

    async def run(self):
        going = await self.say("banner")
        while going:
            line = (await self.reader.readline()).decode("latin-1")
            if not line:
                break
            print(self.server["name"], line.rstrip("\r\n"), file=self.log, flush=True)
            stage = line.split()[0].lower() if line.split() else "nothing"
            going = await self.say(stage)
            if going and stage == "starttls" and self.text("starttls").startswith("220") and self.server.get("cert"):
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(self.server["cert"], self.server["key"])
                await self.writer.start_tls(context)
                self.secure = True
            if stage == "quit":
                break


async def main():
    config = json.load(open(sys.argv[1], encoding="utf-8"))
    log = open(sys.argv[3], "a", encoding="utf-8")
    ports = []

    def of(server):
        async def serve(reader, writer):
            try:
                await Session(server, reader, writer, log).run()
            except (OSError, ssl.SSLError):
                pass
            finally:
                writer.close()
        return serve

    for server in config:
        listener = await asyncio.start_server(of(server), server.get("address", "127.0.0.1"), server.get("port", 0))
        ports.append(f"{server['name']} {listener.sockets[0].getsockname()[1]}\n")
    with open(sys.argv[2] + ".new", "w", encoding="utf-8") as ready:
        ready.writelines(ports)
    import os
    os.rename(sys.argv[2] + ".new", sys.argv[2])
    await asyncio.Event().wait()

asyncio.run(main())
