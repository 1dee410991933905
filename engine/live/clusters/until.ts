/** An answer, for as long as somebody waits for it. @throws the reason of the signal */
export async function until<Value>(signal: AbortSignal, answer: Promise<Value>): Promise<Value> {
  signal.throwIfAborted();
  const over = new AbortController();
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { signal: over.signal });
  });
  try {
    return await Promise.race([answer, aborted]);
  } finally {
    over.abort();
    answer.catch(() => undefined);
  }
}
