// An SFTP server whose disk is small: stands between sshd and OpenSSH's sftp-server and passes everything on, but for writes that have no room, which
// fail, and for what the file system says of its room. Removing a file gives all of it back.
//   node full-disk.js BYTES SFTP-SERVER [ARGUMENTS]
import { spawn } from 'node:child_process';

// https://datatracker.ietf.org/doc/html/draft-ietf-secsh-filexfer-02#section-3
const [write, remove, status, extended, extendedReply] = [6, 13, 101, 200, 201];
const failure = 4;

const [limit, program, ...args] = process.argv.slice(2);
const server = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
let used = 0;
let isFull = false;
const roomRequests = new Set();

/** Calls `handle` with each whole packet, its length included. */
function packets(stream, handle) {
  let rest = Buffer.alloc(0);
  stream.on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE(0)) {
      const end = 4 + rest.readUInt32BE(0);
      handle(rest.subarray(0, end));
      rest = rest.subarray(end);
    }
  });
}

function failed(id) {
  const message = 'Failure';
  const packet = Buffer.alloc(4 + 1 + 4 + 4 + 4 + message.length + 4);
  packet.writeUInt32BE(packet.length - 4, 0);
  packet.writeUInt8(status, 4);
  packet.writeUInt32BE(id, 5);
  packet.writeUInt32BE(failure, 9);
  packet.writeUInt32BE(message.length, 13);
  packet.write(message, 17);
  return packet;
}

packets(process.stdin, (packet) => {
  const type = packet.readUInt8(4);
  const id = packet.length >= 9 ? packet.readUInt32BE(5) : 0;
  if (type === remove) {
    used = 0;
    isFull = false;
  }
  if (type === extended && packet.toString('latin1', 13, 13 + packet.readUInt32BE(9)) === 'statvfs@openssh.com') roomRequests.add(id);
  if (type === write) {
    if (used + packet.length > Number(limit)) {
      isFull = true;
      process.stdout.write(failed(id));
      return;
    }
    used += packet.length;
  }
  server.stdin.write(packet);
});

packets(server.stdout, (packet) => {
  const id = packet.length >= 9 ? packet.readUInt32BE(5) : 0;
  if (packet.readUInt8(4) === extendedReply && roomRequests.delete(id) && isFull) {
    // f_bfree and f_bavail, the fourth and fifth of eleven numbers of 64 bits.
    packet.writeBigUInt64BE(0n, 9 + 3 * 8);
    packet.writeBigUInt64BE(0n, 9 + 4 * 8);
  }
  process.stdout.write(packet);
});

process.stdin.on('end', () => server.stdin.end());
server.stdin.on('error', () => undefined);
server.on('exit', (code) => process.exit(code ?? 1));
