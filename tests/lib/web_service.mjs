// node web_service.mjs DIR: a directory web service over HTTPS, as many of them as DIR/services.json names, for tests.
//
//     services.json   [{ "name": "new", "address": "127.0.0.1", "port": 0, "cert": "good", "auth": "digest",
//                        "account": "admin@a.example", "api_key": "…" }]
//                     cert: DIR/tls/CERT.pem and .key. auth: basic, digest, both, none. port 0: a free one
//     NAME/DOMAIN     what GET …/domains/DOMAIN/users answers with, as it is; no file: 404. PUT replaces it
//     NAME/behave     what goes wrong from now on, read anew for each connection and request; no file: nothing
//     ready.json      written by us: { "new": 43211 }
//     requests.log    written by us: one JSON object a request: name, method, path, host, scheme (of its Authorization), good
//
// behave: hang:accept hang:tls (before or in the handshake), hang:answer, hang:body (after the header and half of the
// list), cut:accept, cut:tls, cut:answer (before), cut:body (in it), drip (a byte a second), endless, endless:headers, garbage
// (no HTTP), plain (no TLS), status:N, redirect:URL, auth:never (401 whatever comes), auth:close (hangs up
// behind a 401), size:BYTES (a list of that size).
//
// HTTP authentication by RFC 7617 and RFC 7616 (MD5 and SHA-256, qop auth; a nonce is taken once).
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:https";
import net from "node:net";
import { join } from "node:path";

const dir = process.argv[2];
const services = JSON.parse(readFileSync(join(dir, "services.json"), "utf8"));
const ready = {};
const PATH = /^\/imhs\/v1\.0\/en\/domains\/([^/?]+)\/users$/;

function behaviour(service) {
	const file = join(dir, service.name, "behave");
	return existsSync(file) ? readFileSync(file, "utf8").trim() : "";
}

// ---- logins

const hash = (algorithm, text) => createHash(algorithm === "SHA-256" ? "sha256" : "md5").update(text).digest("hex");
const nonces = new Set();

function challenges(service) {
	const nonce = randomBytes(16).toString("hex");
	nonces.add(nonce);
	const digest = (a) => `Digest realm="hes", qop="auth", algorithm=${a}, nonce="${nonce}", opaque="x"`;
	if (service.auth === "basic") return ['Basic realm="hes"'];
	if (service.auth === "digest") return [digest("SHA-256"), digest("MD5")];
	return ['Basic realm="hes"', digest("MD5")];
}

function basicIsGood(service, value) {
	return Buffer.from(value, "base64").toString() === `${service.account}:${service.api_key}`;
}

function digestIsGood(service, value, request) {
	const word = Object.fromEntries([...value.matchAll(/(\w+)=(?:"([^"]*)"|([^\s,]+))/g)].map((m) => [m[1], m[2] ?? m[3]]));
	const a1 = hash(word.algorithm, `${service.account}:hes:${service.api_key}`);
	const a2 = hash(word.algorithm, `${request.method}:${word.uri}`);
	const wanted = hash(word.algorithm, `${a1}:${word.nonce}:${word.nc}:${word.cnonce}:${word.qop}:${a2}`);
	return nonces.delete(word.nonce) && word.uri === request.url && word.username === service.account && word.response === wanted;
}

function isAllowed(service, request) {
	const [scheme, rest = ""] = (request.headers.authorization ?? "").split(/ (.*)/s);
	if (service.auth === "none") return true;
	if (scheme === "Basic") return service.auth !== "digest" && basicIsGood(service, rest);
	return scheme === "Digest" && service.auth !== "basic" && digestIsGood(service, rest, request);
}

// ---- answers

function users(service, domain) {
	const file = join(dir, service.name, domain);
	return existsSync(file) ? readFileSync(file) : null;
}

function listOfSize(bytes) {
	const line = (n) => `user${String(n).padStart(12, "0")}@big.example\n`;
	const one = line(0).length;
	return Buffer.from(Array.from({ length: Math.ceil(bytes / one) }, (_, n) => line(n)).join(""));
}

function drip(response, list) {
	response.writeHead(200, { "Content-Length": list.length });
	let at = 0;
	const timer = setInterval(() => (at < list.length ? response.write(list.subarray(at, ++at)) : response.end()), 1000);
	response.on("close", () => clearInterval(timer));
}

function endless(response, bytes) {
	const more = () => {
		while (response.write(bytes));
	};
	response.on("drain", more);
	more();
}

function misbehave(how, socket, response, list) {
	const [word, value] = how.split(/:(.*)/s);
	const half = Math.floor(list.length / 2);
	if (how === "hang:answer") return;
	if (how === "cut:answer") return socket.destroy();
	if (how === "hang:body" || how === "cut:body") {
		response.writeHead(200, { "Content-Length": list.length });
		response.write(list.subarray(0, half), () => how === "cut:body" && socket.destroy());
	} else if (how === "drip") drip(response, list);
	else if (how === "endless") endless(response, listOfSize(65536));
	else if (how === "endless:headers") {
		socket.write("HTTP/1.1 200 OK\r\n");
		endless(socket, `X-Filler: ${"x".repeat(4000)}\r\n`);
	} else if (how === "garbage") socket.end("this is not the service you are looking for\r\n\r\n");
	else if (word === "status") response.writeHead(Number(value)).end("the service says no\n");
	else if (word === "redirect") response.writeHead(302, { Location: value }).end();
	else if (word === "size") response.end(listOfSize(Number(value)));
	else throw new Error(`behave: ${how}?`);
}

function put(service, domain, request, response) {
	const parts = [];
	request.on("data", (part) => parts.push(part));
	request.on("end", () => {
		writeFileSync(join(dir, service.name, domain), Buffer.concat(parts));
		response.writeHead(204).end();
	});
}

function answer(service, request, response) {
	const how = behaviour(service);
	const good = isAllowed(service, request) && how !== "auth:never";
	const domain = PATH.exec(request.url)?.[1];
	const list = domain ? users(service, domain) : null;
	const scheme = (request.headers.authorization ?? "").split(" ")[0];
	const { method, url: path, headers } = request;
	appendFileSync(join(dir, "requests.log"), `${JSON.stringify({ name: service.name, method, path, host: headers.host, scheme, good })}\n`);
	const headers401 = { "WWW-Authenticate": challenges(service), ...(how === "auth:close" && { Connection: "close" }) };
	if (!good) response.writeHead(401, headers401).end("log in first\n");
	else if (how && how !== "auth:close") misbehave(how, request.socket, response, list ?? listOfSize(4000));
	else if (domain && method === "PUT") put(service, domain, request, response);
	else if (!list) response.writeHead(404).end("no such domain\n");
	else response.writeHead(200, { "Content-Type": "text/plain" }).end(list);
}

// ---- connections: what goes wrong before TLS is done by a plain socket in front

function serve(service) {
	const tls = createServer(
		{ key: readFileSync(join(dir, "tls", `${service.cert}.key`)), cert: readFileSync(join(dir, "tls", `${service.cert}.pem`)) },
		(request, response) => answer(service, request, response),
	);
	tls.on("clientError", (error, socket) => socket.destroy());
	const front = net.createServer((socket) => {
		const how = behaviour(service);
		socket.on("error", () => {});
		if (how === "hang:accept") return;
		if (how === "cut:accept") socket.destroy();
		else if (how === "hang:tls") socket.on("data", () => {});
		else if (how === "cut:tls") socket.once("data", () => socket.resetAndDestroy());
		else if (how === "plain") socket.end("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
		else tls.emit("connection", socket);
	});
	front.listen(service.port, service.address, () => {
		ready[service.name] = front.address().port;
		if (Object.keys(ready).length === services.length) writeFileSync(join(dir, "ready.json"), JSON.stringify(ready));
	});
}

services.forEach(serve);
