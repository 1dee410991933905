import {
  BacktrailError,
  type Clock,
  type CodeHost,
  type CodeHosts,
  type HostNaming,
} from '../model/index.ts';

/** The hosts that the file lists that `BACKTRAIL_HOSTS` of `env` names. The clients are loaded with the first of them that is asked for. */
export function createHosts(
  env: Readonly<Record<string, string | undefined>>,
  clock: Pick<Clock, 'now' | 'sleep'>,
): CodeHosts {
  const opened = new Map<string, Promise<CodeHost>>();
  const openNew = async (address: string, naming: HostNaming, hostsFile: string) => {
    const { openHost } = await import('./open.ts');
    return openHost({ address, naming, hostsFile, env, clock });
  };
  return {
    open(address, naming) {
      const hostsFile = env['BACKTRAIL_HOSTS'] ?? '';
      if (hostsFile === '')
        return Promise.reject(
          new BacktrailError('HOST_NOT_ALLOWED', 'No code host is listed here: BACKTRAIL_HOSTS is not set.'),
        );
      const key = JSON.stringify([address, naming.kind, naming.repository]);
      const known = opened.get(key);
      if (known) return known;
      const host = openNew(address, naming, hostsFile);
      opened.set(key, host);
      // The file may be mended meanwhile.
      host.catch(() => opened.delete(key));
      return host;
    },
    async hasActionsToken(address, naming) {
      const hostsFile = env['BACKTRAIL_HOSTS'] ?? '';
      if (hostsFile === '') return false;
      const [{ readHosts, readToken }, { findPlace }] = await Promise.all([
        import('./operator.ts'),
        import('./place.ts'),
      ]);
      const { name, credentials } = findPlace(address, naming, await readHosts(hostsFile));
      return credentials.kind === 'token' && (await readToken(name, credentials.file)).startsWith('ghs_');
    },
    async close() {
      const hosts = await Promise.allSettled(opened.values());
      opened.clear();
      for (const host of hosts) if (host.status === 'fulfilled') await host.value.close();
    },
  };
}
