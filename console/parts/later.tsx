/** A page that is not in what is loaded first. */
import type { FunctionComponent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { type Problem as ProblemValue, unreachable } from '../data/problem.ts';
import { Loading, Problem } from './states.tsx';

/** Milliseconds until a page that could not be loaded is asked for again. */
const AGAIN_MS = 5000;

/** `load` is called when it is shown for the first time; where that fails, it says so and can be tried again. */
export function later<Props extends object>(
  load: () => Promise<FunctionComponent<Props>>,
): FunctionComponent<Props> {
  let loaded: FunctionComponent<Props> | null = null;
  return function Later(props: Props) {
    const [Page, setPage] = useState(() => loaded);
    const [problem, setProblem] = useState<ProblemValue | null>(null);
    const ask = () => {
      setProblem(null);
      load().then(
        (page) => {
          loaded = page;
          setPage(() => page);
        },
        () => setProblem(unreachable(navigator.onLine)),
      );
    };
    useEffect(() => {
      if (loaded === null) ask();
    }, []);
    // As what it says promises: whoever waits need not do anything.
    useEffect(() => {
      if (problem === null) return undefined;
      const timer = setTimeout(ask, AGAIN_MS);
      return () => clearTimeout(timer);
    }, [problem]);
    if (Page !== null) return <Page {...props} />;
    return problem === null ? <Loading lines={6} /> : <Problem problem={problem} onRetry={ask} />;
  };
}
