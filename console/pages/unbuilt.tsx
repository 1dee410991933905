/** A page that the console does not have yet: the command line does it. */
import { useLocation, useRoute } from 'preact-iso';
import { Command } from '../parts/command.tsx';
import { commandLine } from '../parts/shell-words.ts';
import { Title } from '../parts/title.tsx';
import { scopeName } from '../data/paths.ts';

export function Unbuilt() {
  const { path } = useLocation();
  const { params, query } = useRoute();
  const [title, line] = lineOf(path, params, query['to'] ?? null);
  return (
    <>
      <Title name={title} />
      <p>This page is not built yet. The command line does it:</p>
      <Command line={line} />
    </>
  );
}

function lineOf(path: string, params: Readonly<Record<string, string>>, to: string | null): [string, string] {
  const { tenant, environment, service, id } = params;
  if (environment !== undefined)
    return [
      'Roll back',
      commandLine('rollback', scopeName({ tenant, environment, service }), to !== null && '--to', to),
    ];
  if (id !== undefined) return ['Request', commandLine('request', 'show', id)];
  if (path === '/audit') return ['Audit', commandLine('audit', 'verify')];
  return ['Incident', commandLine('incident', 'FILE')];
}
