/** The heading of a page, and the name of its tab in the browser. */
import { useEffect } from 'preact/hooks';

export function Title({ name }: { readonly name: string }) {
  useEffect(() => {
    document.title = `${name} · Backtrail`;
  }, [name]);
  return <h1>{name}</h1>;
}
