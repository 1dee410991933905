/** What adapters need of the configuration. */
import picomatch from 'picomatch';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { AdapterSettings } from './adapters/adapter.ts';

export function settingsFor({ layout, branch }: Snapshot, target: string): (path: string) => AdapterSettings {
  const { set, sources } = layout.config.holds;
  const rules = set.map(({ field, value }) => {
    const [glob = '', selector = ''] = field.split(/#(.*)/su);
    const matches = glob === '' ? () => true : picomatch(glob, { dot: true });
    return { matches, selector, value: JSON.stringify(value) };
  });
  const own = new Set(sources.map(plainAddress));
  return (path) => ({
    set: rules.filter(({ matches }) => matches(path)),
    isOwn: (address) => own.has(plainAddress(address)),
    branch,
    target,
  });
}

/** An address without scheme, user, default port and `.git`: `git@host:a/b.git` and `ssh://git@host/a/b` are the same. */
export function plainAddress(address: string): string {
  return address
    .trim()
    .replace(/^[a-z][a-z0-9+.-]*:\/\//i, '')
    .replace(/^[^@/]*@/, '')
    .replace(/^([^/:]+):(?:22|80|443|9418)(?=\/)/, '$1')
    .replace(/^([^/:]+):(?!\d+\/)\/?/, '$1/')
    .replace(/\/+$/, '')
    .replace(/\.git$/i, '')
    .toLowerCase();
}
