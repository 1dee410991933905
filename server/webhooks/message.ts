/** What is sent to a sink: the body, in its format. */
import { messageId, type Happening } from './happening.ts';
import type { Sink } from './sink.ts';
import { slackBody } from './slack.ts';

export interface Message {
  /** `webhook-id` */
  readonly id: string;
  readonly body: string;
}

export function messageOf(sink: Pick<Sink, 'name' | 'format' | 'console'>, happening: Happening): Message {
  const url = linkOf(sink, happening);
  return {
    id: messageId(sink.name, happening),
    body: JSON.stringify(
      sink.format === 'slack'
        ? slackBody(happening, url)
        : {
            type: happening.type,
            timestamp: happening.at,
            data: { ...happening.data, ...(url !== null && { url }) },
          },
    ),
  };
}

/** The page of its request; null where there is none. */
function linkOf({ console }: Pick<Sink, 'console'>, { data }: Happening): string | null {
  const id = data.request?.id;
  return console === null || id === undefined ? null : `${console}/requests/${encodeURIComponent(id)}`;
}
