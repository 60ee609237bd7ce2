import type { Server } from 'node:http';
import { WebSocketServer } from 'ws';

/** Echoes messages on the WebSocket at /ws; returns the function that closes it. */
export function serveWebSocket(server: Server, maxPayload: number): () => void {
  const sockets = new WebSocketServer({ server, path: '/ws', maxPayload });
  sockets.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (data, binary) => socket.send(data, { binary }));
  });
  return () => {
    for (const socket of sockets.clients) socket.close(1001, 'stopping');
    sockets.close();
  };
}
