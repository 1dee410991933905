/** What failed is executed again, with the approvals that it has. */
import { useState } from 'preact/hooks';
import type { IncidentReviewed } from '../contract.ts';
import { call } from '../data/call.ts';
import type { Problem as ProblemValue } from '../data/problem.ts';
import { refresh } from '../data/resource.ts';
import { Command } from '../parts/command.tsx';
import { commandLine } from '../parts/shell-words.ts';
import { Problem } from '../parts/states.tsx';

/** Command lines that are shown; of more, the incident file is run again. */
const FEW = 5;

export function Retry({ id, failed }: { readonly id: string; readonly failed: readonly string[] }) {
  const [isRunning, setRunning] = useState(false);
  const [problem, setProblem] = useState<ProblemValue | null>(null);
  const retry = async () => {
    setRunning(true);
    setProblem(null);
    const path = `/incidents/${encodeURIComponent(id)}/retry`;
    const answer = await call<IncidentReviewed>(path, {
      method: 'POST',
      body: { ids: failed },
      patience: 120_000,
    });
    setRunning(false);
    if (!answer.ok) setProblem(answer.problem);
    refresh();
  };
  return (
    <section class="part stack" aria-label="What failed">
      <div class="actions">
        <button type="button" class="primary" disabled={isRunning} onClick={() => void retry()}>
          Retry {failed.length} failed
        </button>
        {isRunning && (
          <span class="hint" role="status">
            It is executed…
          </span>
        )}
      </div>
      {problem !== null && <Problem problem={problem} />}
      {failed.length > FEW ? (
        <Command line={commandLine('incident', 'FILE')} />
      ) : (
        failed.map((each) => <Command key={each} line={commandLine('request', 'retry', each)} />)
      )}
    </section>
  );
}
