import { freePort, startServer } from './server.ts';

/** Serves every repository below `root` by `git daemon`, on loopback: `${url}/x.git`. */
export async function serveDaemon(options: {
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
  readonly push?: boolean;
}): Promise<{ readonly url: string; close(): Promise<void> }> {
  const port = await freePort();
  const args = [
    'daemon',
    '--listen=127.0.0.1',
    `--port=${port}`,
    '--export-all',
    '--reuseaddr',
    `--base-path=${options.root}`,
    ...(options.push === false ? [] : ['--enable=receive-pack']),
    options.root,
  ];
  const server = await startServer({ program: 'git', args, env: options.env, port });
  return { url: `git://127.0.0.1:${port}`, close: () => server.close() };
}
