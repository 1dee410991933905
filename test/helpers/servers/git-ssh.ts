import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '../repositories/repo.ts';
import { freePort, startServer } from './server.ts';

const SSHD = '/usr/sbin/sshd';

/** Can a server of our own run here? It needs sshd, and as root its empty folder. */
export const canServeSsh = existsSync(SSHD);

export interface SshServer {
  readonly port: number;
  readonly user: string;
  /** A command that knows the server's key and logs in; `strange`: it has never seen the host; `nobody`: with a key that the server does not know. */
  readonly command: string;
  readonly strange: string;
  readonly nobody: string;
  /** Names the server in the client's configuration: `host:path` needs no port then. */
  readonly host: string;
  close(): Promise<void>;
}

/** An sshd of the current user on loopback, which lets one key in. */
export async function serveSsh(env: Readonly<Record<string, string>>): Promise<SshServer> {
  const folder = await temporaryFolder('backtrail-ssh-');
  const at = (name: string) => join(folder, name);
  if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
  const key = (name: string) =>
    promisify(execFile)('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', at(name)]);
  await Promise.all(['host', 'user', 'stranger'].map(key));
  const port = await freePort();
  const known = `[127.0.0.1]:${port} ${await readFile(at('host.pub'), 'utf8')}`;
  const server = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${at('host')}`,
    `AuthorizedKeysFile ${at('user.pub')}`,
    `PidFile ${at('pid')}`,
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin prohibit-password',
  ];
  const client = (identity: string, hosts: string) =>
    [
      'Host server',
      '  HostName 127.0.0.1',
      `  Port ${port}`,
      'Host *',
      `  User ${userInfo().username}`,
      `  IdentityFile ${at(identity)}`,
      '  IdentitiesOnly yes',
      `  UserKnownHostsFile ${at(hosts)}`,
      '  GlobalKnownHostsFile /dev/null',
      '',
    ].join('\n');
  await Promise.all([
    writeFile(at('sshd_config'), `${server.join('\n')}\n`),
    writeFile(at('known'), known),
    writeFile(at('none'), ''),
    writeFile(at('ssh_config'), client('user', 'known')),
    writeFile(at('ssh_strange'), client('user', 'none')),
    writeFile(at('ssh_nobody'), client('stranger', 'known')),
  ]);
  const running = await startServer({
    program: SSHD,
    args: ['-D', '-e', '-f', at('sshd_config')],
    env,
    port,
  });
  return {
    port,
    user: userInfo().username,
    command: `ssh -F '${at('ssh_config')}'`,
    strange: `ssh -F '${at('ssh_strange')}'`,
    nobody: `ssh -F '${at('ssh_nobody')}'`,
    host: 'server',
    close: () => running.close(),
  };
}
