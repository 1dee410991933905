/** The step that the execution of a request is at, as a worker tells it while it runs. */
import { useEffect, useState } from 'preact/hooks';
import { type News, onNews } from '../data/events.ts';

/** null: nobody has told of one. */
export function useStep(id: string): string | null {
  const [step, setStep] = useState<string | null>(null);
  useEffect(() => {
    setStep(null);
    return onNews((news) => {
      const told = stepOf(news, id);
      if (told !== null) setStep(told);
    });
  }, [id]);
  return step;
}

function stepOf({ kind, data }: News, id: string): string | null {
  const { requestId, step } = data;
  return kind === 'step' && requestId === id && typeof step === 'string' ? step : null;
}
