/** The step that each execution is at, as workers tell it while they run. */
import { useEffect, useState } from 'preact/hooks';
import { onNews } from '../data/events.ts';

/** By request; those that nobody has told of are missing. */
export function useSteps(): ReadonlyMap<string, string> {
  const [steps, setSteps] = useState<ReadonlyMap<string, string>>(new Map());
  useEffect(
    () =>
      onNews(({ kind, data: { requestId, step } }) => {
        if (kind === 'step' && typeof requestId === 'string' && typeof step === 'string')
          setSteps((before) => new Map(before).set(requestId, step));
      }),
    [],
  );
  return steps;
}
