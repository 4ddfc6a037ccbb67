/** The small shape before a name: colour and form say the family of its log type. */
import { familyOf } from '../model/logtype';

export function Mark({ logType }: { logType: string | null | undefined }) {
  return <i class={`mark f-${familyOf(logType)}`} title={logType ?? 'unknown'} aria-hidden="true" />;
}
