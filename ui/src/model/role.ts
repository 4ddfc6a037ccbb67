/** What who asks may do. */
import type { Session } from '../api/types';

/** What viewers may not; false until it is known who asks. */
export const mayChange = (session: Session | null): boolean => session?.role === 'owner' || session?.role === 'member';
