/* What Rust may ask of FFmpeg. No structure of FFmpeg is seen beyond these two files, so that their layouts, which
 * differ from version to version, are the compiler's business. src/ffmpeg.rs mirrors this file word by word. */
#ifndef STREAMEM_CODEC_SHIM_H
#define STREAMEM_CODEC_SHIM_H

#include <stddef.h>
#include <stdint.h>

/* What a decoder returns beside 0 and the negative errors of FFmpeg. */
#define SHIM_NOTHING 1

enum shim_codec { SHIM_H264, SHIM_HEVC, SHIM_AAC };

/* Memory the decoder wants for a picture whose colours are halved both ways. Rows of colours are half as long. */
struct shim_need {
    int32_t width;
    int32_t height;
    int32_t stride;
    int32_t align;
};

/* Memory it is given. Without a plane u the decoder has memory of its own for colours. */
struct shim_target {
    uint8_t *base;
    size_t bytes;
    uint8_t *plane[3];
    void *hold;
};

/* asked once for each picture; 1: there is a target, 0: the decoder is to use memory of its own. */
typedef int32_t (*shim_give)(void *asked, const struct shim_need *need, struct shim_target *target);
/* called once for each target that was given, when nothing refers to it any more; on any thread. */
typedef void (*shim_release)(void *hold);

struct shim_picture {
    int64_t number;
    int32_t width;
    int32_t height;
    int32_t is_420;
    int32_t is_key;
    int32_t is_damaged;
    int32_t is_full_range;
    int32_t matrix;
    const uint8_t *plane[3];
    int32_t stride[3];
    /* of the target it lies in; NULL: memory of the decoder. */
    void *hold;
};

struct shim_sound {
    int32_t channels;
    int32_t samples;
    int32_t rate;
    int32_t is_float_in_rows;
};

struct shim_decoder;
struct shim_frame;

struct shim_decoder *shim_open(enum shim_codec codec, int64_t pixels_max, shim_give give, shim_release release,
                               int32_t *error);
void shim_close(struct shim_decoder *decoder);
void shim_flush(struct shim_decoder *decoder);
/* takes in one packet, which is copied. */
int32_t shim_send(struct shim_decoder *decoder, const uint8_t *bytes, size_t length, int64_t number, void *asked);
/* takes out what is ready: 0, SHIM_NOTHING or an error. What comes out of it is the caller's to free. */
int32_t shim_receive(struct shim_decoder *decoder, void *asked, struct shim_frame **frame);
void shim_describe(const struct shim_frame *frame, struct shim_picture *picture);
void shim_listen(const struct shim_frame *frame, struct shim_sound *sound);
/* a channel's row of 32-bit floats; NULL: it has no such channel. */
const float *shim_row(const struct shim_frame *frame, int32_t channel);
void shim_free(struct shim_frame *frame);
void shim_explain(int32_t error, char *text, size_t bytes);
uint32_t shim_version(void);

#endif
