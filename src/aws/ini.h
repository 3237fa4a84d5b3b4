/* The format of AWS's shared files: [sections] of "key = value" lines, comments behind # or ;
   at the start of a line or behind white space, and lines that are indented deeper than the key
   above and belong to it. As the AWS CLI has it, a whole section may be indented. */
#ifndef AWS_INI_H
#define AWS_INI_H

/* Called for each line "key = value", with white space and comments cut off. above: NULL, or
   the key that this line stands below ("ssm" in a section of services). */
typedef void ini_take(void *context, const char *above, const char *key, const char *value);

/* Reads the sections [KIND NAME], or [NAME] where kind is NULL and for the profile called
   default. Returns how many there were, or -1 with errno when the file cannot be read. What
   comes later in the file comes later to take. */
int ini_read(const char *path, const char *kind, const char *name, ini_take *take,
             void *context);

#endif
