/** An answer, for as long as somebody waits for it. @throws the reason of the signal */
export async function until<Value>(signal: AbortSignal, answer: Promise<Value>): Promise<Value> {
  signal.throwIfAborted();
  const over = new AbortController();
  const stopped = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { signal: over.signal });
  });
  const unanswered = stopped.then(() => {
    signal.throwIfAborted();
    return answer;
  });
  try {
    return await Promise.race([answer, unanswered]);
  } finally {
    over.abort();
    answer.catch(() => undefined);
  }
}
