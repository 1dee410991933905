/** DeploymentHistoryPanel: all revisions of a scope, newest first, however many there are. */
import { useRoute } from 'preact-iso';
import { useState } from 'preact/hooks';
import { scopeName } from '../data/paths.ts';
import { Command } from '../parts/command.tsx';
import { commandLine } from '../parts/shell-words.ts';
import { HistoryPage } from './page.tsx';
import { MayNot } from '../scope/may-not.tsx';
import type { PanelProps } from '../scope/panel-props.ts';

const COLUMNS = ['Revision', 'Timestamp', 'Author', 'Changes', 'Source', 'Status', 'Actions'] as const;

export function HistoryPanel({ names, environment }: PanelProps) {
  const { query } = useRoute();
  const [cursors, setCursors] = useState<readonly string[]>(['']);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set(query['at'] ? [query['at']] : []));
  const toggle = (version: string) => {
    const next = new Set(open);
    if (!next.delete(version)) next.add(version);
    setOpen(next);
  };
  return (
    <>
      <MayNot of={environment} />
      <table class="history" role="table" aria-label={`Revisions of ${scopeName(names)}`}>
        <thead role="rowgroup">
          <tr role="row">
            {COLUMNS.map((name) => (
              <th key={name} scope="col" role="columnheader">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        {cursors.map((cursor, index) => (
          <HistoryPage
            key={cursor}
            names={names}
            cursor={cursor}
            isFirst={index === 0}
            mayAsk={environment.may.request.allowed}
            open={open}
            onToggle={toggle}
            onEnd={(next) => {
              if (index === cursors.length - 1) setCursors([...cursors, next]);
            }}
          />
        ))}
      </table>
      <Command line={commandLine('history', scopeName(names))} />
    </>
  );
}
