import { EchoServer } from './grpc.ts';

// Serves on the port of the argument until SIGTERM, which lets calls in progress finish.
const echo = await EchoServer.start({}, Number(process.argv[2]));
process.once('SIGTERM', () => echo.server.tryShutdown(() => process.exit(0)));
process.send!('ready');
