/**
 * A page that calls `demo.Echo` on its own origin by gRPC-Web, with fetch alone: a message is a
 * prefix of five bytes and one field, and the last frame holds the trailers.
 */
export const GRPC_PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>gRPC from a browser</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 4rem auto; padding: 0 1rem; color: #1c2733; background: #f7f9fb }
  h1 { font-size: 1.6rem; margin: 0 0 1rem }
  input, button { font: inherit; padding: .35rem .7rem }
  pre { background: #fff; padding: 1rem; border-radius: .5rem; box-shadow: 0 1px 3px #0002; min-height: 6rem }
</style>
<h1>gRPC from a browser</h1>
<p>
  <input id="text" value="hello" aria-label="message">
  <button id="say">Say</button>
  <button id="count">Count to 5</button>
</p>
<pre id="out" role="status"></pre>
<script>
  const out = document.getElementById('out');
  const show = (line) => { out.textContent += line + '\\n'; };

  function encode(text) {
    const bytes = new TextEncoder().encode(text.slice(0, 60));
    const message = bytes.length === 0 ? [] : [10, bytes.length, ...bytes];
    // The page's input is short: one byte of length is enough up to 127 bytes.
    if (bytes.length > 127) throw new Error('the message is too long');
    return new Uint8Array([0, 0, 0, 0, message.length, ...message]);
  }

  async function call(method, text, onMessage) {
    const response = await fetch('/demo.Echo/' + method, {
      method: 'POST',
      headers: { 'content-type': 'application/grpc-web+proto', 'x-grpc-web': '1' },
      body: encode(text),
    });
    let status = response.headers.get('grpc-status');
    let rest = new Uint8Array();
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const all = new Uint8Array(rest.length + value.length);
      all.set(rest);
      all.set(value, rest.length);
      rest = all;
      for (;;) {
        if (rest.length < 5) break;
        const size = new DataView(rest.buffer, rest.byteOffset).getUint32(1);
        if (rest.length < 5 + size) break;
        const frame = new TextDecoder().decode(rest.subarray(5, 5 + size));
        if (rest[0] & 0x80) status = /grpc-status: *(\\d+)/.exec(frame)[1];
        // The field's tag and length are a byte each.
        else onMessage(frame.slice(2));
        rest = rest.subarray(5 + size);
      }
    }
    show(method + ': grpc-status ' + status);
  }

  const run = (method, text) => call(method, text, (message) => show(method + ': ' + message)).catch((error) => show(String(error)));
  document.getElementById('say').onclick = () => run('Say', document.getElementById('text').value);
  document.getElementById('count').onclick = () => run('Count', '5');
</script>
</html>
`;
