/** Whether an element is on the screen, or near it: what is far is not drawn. */
import type { RefObject } from 'preact';
import { useEffect, useState } from 'preact/hooks';

export function useNear(element: RefObject<Element>, { isFirst = false, margin = '1200px' } = {}): boolean {
  const [isNear, setNear] = useState(isFirst);
  useEffect(() => {
    const { current } = element;
    if (current === null) return undefined;
    const observer = new IntersectionObserver(
      (entries) => setNear(entries.some(({ isIntersecting }) => isIntersecting)),
      { rootMargin: `${margin} 0px` },
    );
    observer.observe(current);
    return () => observer.disconnect();
  }, []);
  return isNear;
}
