/** The environment that one is in; views that do not say it themselves keep that of the one before. '' is all. */
export const place = { environment: '' };
