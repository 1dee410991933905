/** `npm run demo -- --serve`: the demo repository with its incident, a worker and the page, until Ctrl-C. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { say, title } from './narrate.ts';

const PAGE = fileURLToPath(new URL('../dist/console/index.html', import.meta.url));

/** Gives the exit code. */
export async function serveDemo({
  main,
  repo,
  env,
}: {
  /** Of the command line as it was built. */
  readonly main: string;
  readonly repo: string;
  readonly env: NodeJS.ProcessEnv;
}): Promise<number> {
  if (!existsSync(PAGE)) throw new Error('The page is not built: npm run build.');
  title('acme/production answers 500 since api-gateway v2.1.0: open this address, which signs you in');
  const args = [main, '--repo', repo, 'serve', '--worker', '--listen', `127.0.0.1:${env['PORT'] ?? '4180'}`];
  const server = spawn(process.execPath, args, { env, stdio: ['ignore', 'inherit', 'ignore'] });
  // The server ends by itself what is under way; this process waits for it.
  const stop = () => server.kill('SIGTERM');
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);
  const [code] = await once(server, 'exit');
  say(`The repository remains in ${repo}`);
  return typeof code === 'number' ? code : 1;
}
