/** The receiver that the adapter is measured against: takes datagrams and counts them. */
import { createSocket } from 'node:dgram';

let count = 0;
const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
socket.on('message', () => count++);
socket.bind(Number(process.argv[2]), '127.0.0.1', () => console.log('listening'));
process.on('SIGUSR2', () => console.log(`received ${count}`));
