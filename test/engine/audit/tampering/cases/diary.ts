/** Where a repository was when each case was done. */
import { LEDGER } from '../../../../helpers/people/scene.ts';
import type { Repo } from '../../../../helpers/repositories/repo.ts';
import type { Told } from '../case.ts';

interface Result {
  readonly requestId: string;
  readonly commit?: string | null;
  readonly deliveryCommit?: string | null;
}

type Done = Told['done'] extends ReadonlyMap<string, infer Value> ? Value : never;

export function diary(repo: Repo) {
  const done = new Map<string, Done>();
  const refs = async () => {
    const lines = await repo.git('for-each-ref', '--format=%(refname) %(objectname)');
    const found = new Map(
      lines.split('\n').map((line): [string, string] => {
        const [name = '', id = ''] = line.split(' ');
        return [name, id];
      }),
    );
    return { main: found.get('refs/heads/main') ?? '', ledger: found.get(LEDGER) ?? null };
  };
  return {
    done,
    note: async (name: string, { requestId, commit, deliveryCommit = null }: Result): Promise<void> => {
      if (!commit) throw new Error(`${name}: nothing was committed.`);
      done.set(name, { commit, delivery: deliveryCommit, requestId, ...(await refs()) });
    },
  };
}
