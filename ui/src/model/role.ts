/** What who asks may do. */
import type { Session } from '../api/types';

/** What the organization is called in which the project is. */
export const organizationOf = (session: Session): string =>
  session.organizations.find(({ id }) => id === session.organization_id)?.name ?? '';

/** What viewers may not; false until it is known who asks. */
export const mayChange = (session: Session | null): boolean => session?.role === 'owner' || session?.role === 'member';
