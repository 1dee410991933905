import type { Answer, Call } from '../faults.ts';

/** All of a library's type that an answer gives: at every level, only names that the type has, with the types that they have there. */
export type Given<T> = T extends readonly (infer Item)[]
  ? Given<Item>[]
  : T extends object
    ? { [Key in keyof T]?: Given<T[Key]> }
    : T;

/** The same of a type that takes any name besides its own: its own alone. */
export type Named<T, Except = never> = Given<{
  [Key in keyof T as string extends Key
    ? never
    : number extends Key
      ? never
      : Key extends Except
        ? never
        : Key]: T[Key];
}>;

type Handler = (call: Call, ...parts: string[]) => Answer | Promise<Answer>;

/** `GET /pulls/:/reviews`: a colon stands for one part, which the handler is given decoded; two for the rest of the path. */
export function createRoutes(routes: Readonly<Record<string, Handler>>) {
  const compiled = Object.entries(routes).map(([route, handler]) => {
    const pattern = route.replaceAll('::', '(.+)').replaceAll(':', '([^/]+)');
    return { pattern: new RegExp(`^${pattern}$`), handler };
  });
  return (call: Call): Promise<Answer> | null => {
    for (const { pattern, handler } of compiled) {
      const match = pattern.exec(`${call.method} ${call.path}`);
      if (match !== null) return Promise.resolve(handler(call, ...match.slice(1).map(decodeURIComponent)));
    }
    return null;
  };
}

/** A page of a list, with the headers that say where the next is. */
export function pageOf<T>(
  all: readonly T[],
  call: Call,
  options: { url: string; size: string; usual: number; most: number },
): { items: T[]; headers: Record<string, string>; page: number; size: number; pages: number } {
  const number = (name: string, usual: number) => Math.max(1, Number(call.query[name] ?? usual) || usual);
  const size = Math.min(number(options.size, options.usual), options.most);
  const page = number('page', 1);
  const pages = Math.max(1, Math.ceil(all.length / size));
  const link = (to: number, rel: string) => {
    const query = new URLSearchParams({ ...call.query, page: String(to) });
    return `<${options.url}?${query.toString()}>; rel="${rel}"`;
  };
  const links = [
    ...(page > 1 ? [link(1, 'first'), link(page - 1, 'prev')] : []),
    ...(page < pages ? [link(page + 1, 'next'), link(pages, 'last')] : []),
  ];
  const headers: Record<string, string> = links.length === 0 ? {} : { link: links.join(', ') };
  return { items: all.slice((page - 1) * size, page * size), headers, page, size, pages };
}
