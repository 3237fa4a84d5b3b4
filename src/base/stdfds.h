/* The three standard descriptors, of which whoever starts a program may have closed some. */
#ifndef BASE_STDFDS_H
#define BASE_STDFDS_H

/* Puts /dev/null where one of them is closed: a file that is opened later would take its
   number, and be read, written or replaced in its name. What is put there does not do what the
   number is for (input can only be written, output only read), so that its use fails as before.
   The first thing that a program does. */
void stdfds_fill(void);

#endif
