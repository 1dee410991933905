/**
 * One run for all who ask meanwhile: whoever asks gets the result of a run that began after they asked, and there is never more than one at a time.
 * Two hundred readers of a remote cost as many fetches as there is time for, not two hundred.
 */
export function together<Value>(work: () => Promise<Value>): () => Promise<Value> {
  let running: Promise<unknown> | null = null;
  let next: Promise<Value> | null = null;
  const start = (): Promise<Value> => {
    next = null;
    const run = work().finally(() => {
      if (running === run) running = null;
    });
    running = run;
    return run;
  };
  return () => {
    if (running === null && next === null) return start();
    next ??= Promise.allSettled([running]).then(start);
    return next;
  };
}
