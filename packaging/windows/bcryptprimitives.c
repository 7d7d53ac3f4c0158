/* bcryptprimitives.dll for wine 8, which lacks it: std gets its random numbers from it. */
__declspec(dllimport) unsigned char SystemFunction036(void *buffer, unsigned long length);

__declspec(dllexport) int ProcessPrng(unsigned char *buffer, unsigned long long length) {
  return SystemFunction036(buffer, (unsigned long)length);
}
